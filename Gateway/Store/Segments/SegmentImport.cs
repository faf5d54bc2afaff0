using Gateway.Audit;

namespace Gateway.Store.Segments;

/// <summary>Takes an older audit over into segments, once: all of it or nothing.</summary>
internal static class SegmentImport
{
    /// <summary>Writes entries in their order. Nothing is done where there are segments already.</summary>
    public static void Run(string folder, IEnumerable<AuditEntry> entries)
    {
        if (SegmentFile.All(folder).Count > 0)
        {
            return;
        }

        // A crash leaves a folder behind that has not got the name; the next start begins again.
        var growing = folder + ".importing";
        if (Directory.Exists(growing))
        {
            Directory.Delete(growing, recursive: true);
        }

        PrivateFiles.MakeFolder(growing);
        var (number, head, day) = (0L, ChainLine.NoHash, DateOnly.MinValue);
        FileStream? file = null;
        try
        {
            foreach (var entry in entries)
            {
                if (file is null || DateOnly.FromDateTime(entry.At.UtcDateTime) > day)
                {
                    file?.Flush(flushToDisk: true);
                    file?.Dispose();
                    day = DateOnly.FromDateTime(entry.At.UtcDateTime);
                    file = new FileStream(Path.Combine(growing, SegmentFile.NameOf(day)), PrivateFiles.Options(FileMode.CreateNew, FileShare.None));
                }

                var line = (ChainLine.From(new AuditRecord.Begun(entry), entry.At) with { Number = ++number, Prev = head }).ToBytes();
                head = ChainLine.HashOf(line);
                file.Write(line);
                file.WriteByte((byte)'\n');
            }

            file?.Flush(flushToDisk: true);
        }
        finally
        {
            file?.Dispose();
        }

        if (Directory.Exists(folder))
        {
            // Empty: there are no segments in it.
            Directory.Delete(folder);
        }

        Directory.Move(growing, folder);
    }
}
