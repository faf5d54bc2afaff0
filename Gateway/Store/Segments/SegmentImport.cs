using Gateway.Audit;

namespace Gateway.Store.Segments;

/// <summary>Takes an older audit over into segments, once: all of it or nothing.</summary>
internal sealed class SegmentImport : IDisposable
{
    /// <summary>The name of the file that says that nothing is missing.</summary>
    private const string Finished = "finished";

    private readonly string _folder;
    private readonly string _growing;
    private readonly ChainWriter _chain = new(AuditHead.Files);
    private FileStream? _file;
    private DateOnly _day;

    private SegmentImport(string folder)
    {
        (_folder, _growing) = (folder, GrowingOf(folder));

        // A crash left something behind that was not finished: it is begun again.
        if (Directory.Exists(_growing))
        {
            Directory.Delete(_growing, recursive: true);
        }

        PrivateFiles.MakeFolder(_growing);
    }

    /// <summary>Null where there are segments already.</summary>
    public static SegmentImport? Begin(string folder)
    {
        if (File.Exists(Path.Combine(GrowingOf(folder), Finished)))
        {
            Move(GrowingOf(folder), folder);
            return null;
        }

        return SegmentFile.All(folder).Count > 0 ? null : new(folder);
    }

    /// <summary>Writes the next entry.</summary>
    public void Add(AuditEntry entry)
    {
        if (_file is null || DateOnly.FromDateTime(entry.At.UtcDateTime) > _day)
        {
            EndFile();
            _day = DateOnly.FromDateTime(entry.At.UtcDateTime);
            _file = new FileStream(
                Path.Combine(_growing, SegmentFile.NameOf(_day)), PrivateFiles.Options(FileMode.CreateNew, FileShare.None));
        }

        _chain.Write([ChainLine.From(new AuditRecord.Begun(entry), entry.At)], text => _file.Write(text.Span));
    }

    /// <summary>Gives all of it its name.</summary>
    public void Finish()
    {
        EndFile();
        File.WriteAllText(Path.Combine(_growing, Finished), "");
        Move(_growing, _folder);
    }

    public void Dispose()
    {
        _file?.Dispose();
        _chain.Dispose();
    }

    private static string GrowingOf(string folder) => Path.TrimEndingDirectorySeparator(folder) + ".importing";

    /// <summary>File by file, since the folder may be a mount. From here on, a crash is gone on from.</summary>
    private static void Move(string from, string to)
    {
        PrivateFiles.MakeFolder(to);
        foreach (var path in SegmentFile.All(from))
        {
            File.Copy(path, Path.Combine(to, Path.GetFileName(path)), overwrite: true);
            File.Delete(path);
        }

        Directory.Delete(from, recursive: true);
    }

    private void EndFile()
    {
        _file?.Flush(flushToDisk: true);
        _file?.Dispose();
        _file = null;
    }
}
