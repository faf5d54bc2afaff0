using Gateway.Audit;
using Gateway.Settings;
using Microsoft.AspNetCore.DataProtection;

namespace Gateway.Store.Segments;

/// <summary>
/// The audit as files that are only added to, one a day. Each line has the hash of the one before it, and the last one is
/// signed at each close, so that nobody alters, removes or inserts one unseen.
/// </summary>
/// <param name="folder">Where the files are.</param>
/// <param name="protection">Signs and checks; null where nothing is written.</param>
internal sealed class SegmentAuditStore(string folder, IDataProtectionProvider? protection, TimeProvider clock) : IAuditStore
{
    private readonly Lock _writing = new();
    private readonly ChainWriter _chain = new(AuditHead.Files);
    private readonly ChainSigning _signing = new(protection);
    private readonly SegmentReader _reader = new(folder);
    private FileStream? _file;
    private DateOnly _day;
    private bool _isSigned;

    public AuditHead? Signed { get; private set; }

    public Task<string?> OpenAsync(CancellationToken cancel)
    {
        try
        {
            lock (_writing)
            {
                PrivateFiles.MakeFolder(folder);
                return Task.FromResult(TakeUp());
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(e);
        }
    }

    public Task WriteAsync(IReadOnlyList<AuditRecord> records, bool isDurable, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        lock (_writing)
        {
            Write(records.Select(one => ChainLine.From(one, now)), isDurable);
        }

        return Task.CompletedTask;
    }

    public Task CloseAsync(CancellationToken cancel)
    {
        lock (_writing)
        {
            try
            {
                Sign();
                _file?.Dispose();
                _file = null;
                return Task.CompletedTask;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Unusable(e);
            }
        }
    }

    public Task<IReadOnlyList<AuditEntry>> FindAsync(AuditSearch search, long? before, int most, CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<AuditEntry>>(_reader.Find(search, before, most, cancel));

    public Task<IReadOnlyList<AuditEntry>> ReadAsync(AuditSearch search, long after, int most, CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<AuditEntry>>(_reader.Read(search, after, most, cancel));

    public Task<AuditEntry?> FindAsync(long id, CancellationToken cancel) => Task.FromResult(_reader.Find(id));

    public Task<AuditVerification> VerifyAsync(IReadOnlyList<AuditHead> signed, CancellationToken cancel)
    {
        // Before the files are read: they have at least these lines.
        var written = _file is null ? null : _chain.Head;
        var (closed, all) = (signed.FirstOrDefault(one => one.Chain == AuditHead.Files), SegmentFile.All(folder));
        var verifier = new ChainVerifier(_signing.IsSigned, closed, written);
        foreach (var path in all)
        {
            using var file = SegmentFile.Open(path);
            if (file is null)
            {
                continue;
            }

            var number = 0;
            foreach (var (_, line) in file.Forward(0))
            {
                cancel.ThrowIfCancellationRequested();
                verifier.Look($"{Path.GetFileName(path)} line {++number}", line.Span);
            }

            if (new FileInfo(path).Length > file.Length && path != all[^1])
            {
                verifier.Add($"{Path.GetFileName(path)} ends within a line");
            }
        }

        return Task.FromResult(verifier.Finish());
    }

    public Task<string?> DeleteBeforeAsync(DateTimeOffset time, CancellationToken cancel)
    {
        lock (_writing)
        {
            try
            {
                return Task.FromResult(DeleteBefore(time));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Unusable(e);
            }
        }
    }

    public Task CopyToAsync(string target, CancellationToken cancel)
    {
        PrivateFiles.MakeFolder(target);
        foreach (var path in SegmentFile.All(folder))
        {
            using var from = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var to = new FileStream(
                Path.Combine(target, Path.GetFileName(path)), PrivateFiles.Options(FileMode.CreateNew, FileShare.None));
            from.CopyTo(to);
        }

        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _file?.Dispose();
        _chain.Dispose();
        return ValueTask.CompletedTask;
    }

    private string? DeleteBefore(DateTimeOffset time)
    {
        var (all, day) = (SegmentFile.All(folder), DateOnly.FromDateTime(time.UtcDateTime));
        var old = all.SkipLast(1).TakeWhile(one => SegmentFile.DayOf(one) < day).ToArray();
        if (old.Length == 0)
        {
            return null;
        }

        // What goes is written down before it goes, and where the chain begins from then on.
        using (var next = SegmentFile.Open(all[old.Length]))
        {
            if (next is null || SegmentReader.FirstOf(next) is not { } first)
            {
                return null;
            }

            Write(
                [new ChainLine { Type = ChainLine.Retention, At = clock.GetUtcNow(), Through = first.Number - 1, Head = first.Prev }],
                isDurable: true);
        }

        foreach (var path in old)
        {
            File.Delete(path);
        }

        return string.Join(", ", old.Select(Path.GetFileName));
    }

    /// <summary>Finds the end of the chain. Half a line, which a crash leaves behind, is cut off.</summary>
    private string? TakeUp()
    {
        if (SegmentFile.All(folder) is not [.., var newest])
        {
            return null;
        }

        string? healed = null;
        using (var file = SegmentFile.Open(newest)!)
        {
            var whole = file.Length;
            (_file, _day) = (OpenFile(newest), SegmentFile.DayOf(newest)!.Value);
            if (_file.Length > whole)
            {
                healed = $"{newest} ended with {_file.Length - whole} bytes of a line that was not finished when the gateway ended; "
                    + $"they were cut off";
                _file.SetLength(whole);
                _file.Flush(flushToDisk: true);
            }
        }

        _file.Seek(0, SeekOrigin.End);
        foreach (var path in SegmentFile.All(folder).Reverse())
        {
            using var file = SegmentFile.Open(path)!;
            foreach (var (_, bytes) in file.Backward(file.Length))
            {
                var last = ChainLine.Parse(bytes.Span) ?? throw new StoreException(
                    $"the last line of {path} cannot be read; it was changed by somebody or the disk is damaged. "
                    + $"Move the file out of {folder} and start again: the audit then goes on after the day before, and verify says so");
                _chain.TakeUp(new(AuditHead.Files, last.Number, ChainLine.HashOf(bytes.Span)));
                _isSigned = last.Type == ChainLine.Close;
                if (healed is not null)
                {
                    Write([new ChainLine { Type = ChainLine.Note, At = clock.GetUtcNow(), Detail = healed }], isDurable: true);
                }

                return healed;
            }
        }

        return healed;
    }

    private void Write(IEnumerable<ChainLine> lines, bool isDurable)
    {
        try
        {
            var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
            if (_file is not null && today > _day)
            {
                Sign();
                _file.Dispose();
                _file = null;
            }

            if (_file is null)
            {
                PrivateFiles.MakeFolder(folder);
                _day = today > _day ? today : _day;
                _file = OpenFile(Path.Combine(folder, SegmentFile.NameOf(_day)));
                _file.Seek(0, SeekOrigin.End);
            }

            Append(lines, isDurable);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(e);
        }
    }

    private void Append(IEnumerable<ChainLine> lines, bool isDurable)
    {
        var isSigned = false;
        _chain.Write(lines, text => Store(text, isDurable), (line, _, _) => isSigned = line.Type == ChainLine.Close);
        _isSigned = isSigned;
    }

    /// <summary>All of it or nothing: what a full disk took half of is cut off again.</summary>
    private void Store(ReadOnlyMemory<byte> text, bool isDurable)
    {
        var end = _file!.Position;
        try
        {
            _file.Write(text.Span);
            _file.Flush(isDurable);
        }
        catch (IOException)
        {
            _file.SetLength(end);
            _file.Seek(end, SeekOrigin.Begin);
            throw;
        }
    }

    private void Sign()
    {
        if (_file is null || _isSigned)
        {
            return;
        }

        if (_signing.Close(_chain.Head, clock.GetUtcNow()) is { } close)
        {
            Append([close], isDurable: true);
            Signed = _chain.Head with { At = clock.GetUtcNow() };
        }
        else
        {
            _file.Flush(flushToDisk: true);
        }
    }

    /// <summary>Without a buffer: what is written is at once where a kill does not reach it.</summary>
    private static FileStream OpenFile(string path)
    {
        var options = PrivateFiles.Options(FileMode.OpenOrCreate, FileShare.Read | FileShare.Delete);
        options.BufferSize = 0;
        return new FileStream(path, options);
    }

    private StoreException Unusable(Exception e) =>
        new($"the audit in {folder} cannot be written: {e.Message.TrimEnd('.')}; make room, or make the folder "
            + "writable for the gateway", e);
}
