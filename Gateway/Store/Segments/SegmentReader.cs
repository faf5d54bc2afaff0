using Gateway.Audit;

namespace Gateway.Store.Segments;

/// <summary>
/// Finds entries in the segments of a folder. Lines that cannot be meant are told by their bytes, without being parsed; what
/// later lines say of an entry is joined to it.
/// </summary>
internal sealed class SegmentReader(string folder)
{
    private const int LongestLook = 8 * 1024 * 1024;

    /// <summary>How much younger a line may be than the one after it: calls are written down when they end.</summary>
    private static readonly TimeSpan _disorder = TimeSpan.FromHours(1);

    /// <summary>Entries before a position, newest first.</summary>
    public List<AuditEntry> Find(AuditSearch search, long? before, int most, CancellationToken cancel)
    {
        var filter = new LineFilter(search);
        var (found, later) = (new List<AuditEntry>(), new LaterLines(search));
        foreach (var path in SegmentFile.All(folder).Reverse())
        {
            using var file = SegmentFile.Open(path);
            if (file is null || (before is { } position && FirstOf(file) is { } first && first.Number >= position))
            {
                continue;
            }

            if (search.Since is { } since && SegmentFile.DayOf(path) < DateOnly.FromDateTime((since - _disorder).UtcDateTime))
            {
                break;
            }

            var end = before is { } limit ? file.Find(one => one.Number < limit) : file.Length;
            before = null;
            LookAhead(file, end, later);
            foreach (var (_, bytes) in file.Backward(end))
            {
                cancel.ThrowIfCancellationRequested();
                if (!filter.MayMatch(bytes.Span, later) || ChainLine.Parse(bytes.Span) is not { } line)
                {
                    continue;
                }

                if (search.Since - _disorder > line.At)
                {
                    return found;
                }

                if (later.Join(line) is { } entry && search.Matches(entry))
                {
                    found.Add(entry);
                    if (found.Count == most)
                    {
                        return found;
                    }
                }
            }
        }

        return found;
    }

    /// <summary>Entries after a position, oldest first.</summary>
    public List<AuditEntry> Read(AuditSearch search, long after, int most, CancellationToken cancel)
    {
        // What may match is known before it is known how it ended: a page of that may hold nothing that does.
        while (true)
        {
            var page = ReadPage(search, after, most, cancel);
            var matching = page.FindAll(search.Matches);
            if (matching.Count > 0 || page.Count < most)
            {
                return matching;
            }

            after = page[^1].Id;
        }
    }

    private List<AuditEntry> ReadPage(AuditSearch search, long after, int most, CancellationToken cancel)
    {
        var filter = new LineFilter(search);
        var (found, places) = (new List<AuditEntry>(), new Dictionary<string, int>(StringComparer.Ordinal));
        var (fullAt, looked) = (DateTimeOffset.MaxValue, 0L);
        foreach (var path in SegmentFile.All(folder))
        {
            using var file = SegmentFile.Open(path);
            if (file is null
                || (search.Since is { } since && SegmentFile.DayOf(path) < DateOnly.FromDateTime((since - _disorder).UtcDateTime))
                || (LastOf(file)?.Number ?? 0) <= after)
            {
                continue;
            }

            foreach (var (_, bytes) in file.Forward(file.Find(one => one.Number <= after)))
            {
                cancel.ThrowIfCancellationRequested();
                looked += found.Count >= most ? bytes.Length : 0;
                if (!filter.MayMatch(bytes.Span) || ChainLine.Parse(bytes.Span) is not { } line)
                {
                    continue;
                }

                if (looked > LongestLook || line.At - LaterLines.LongestWait > fullAt)
                {
                    return found;
                }

                if (line.Of is { } of && places.TryGetValue(of, out var place))
                {
                    found[place] = line.AddTo(found[place]);
                }
                else if (line.IsEntry && found.Count < most && MayMatch(search, line.ToEntry()))
                {
                    places[line.Id!] = found.Count;
                    found.Add(line.ToEntry());
                    fullAt = found.Count == most ? line.At : fullAt;
                }
            }
        }

        return found;
    }

    public AuditEntry? Find(long number)
    {
        foreach (var path in SegmentFile.All(folder).Reverse())
        {
            using var file = SegmentFile.Open(path);
            if (file is null || FirstOf(file) is not { } first || first.Number > number)
            {
                continue;
            }

            var at = file.Find(one => one.Number < number);
            if (file.Forward(at).Select(one => ChainLine.Parse(one.Line.Span)).FirstOrDefault() is not { IsEntry: true } line
                || line.Number != number)
            {
                return null;
            }

            var later = new LaterLines(AuditSearch.All);
            LookAhead(file, at, later);
            return later.Join(line);
        }

        return null;
    }

    /// <summary>The newest whole line of a file; null when it has none that can be understood.</summary>
    public static ChainLine? LastOf(SegmentFile file) =>
        file.Backward(file.Length).Select(one => ChainLine.Parse(one.Line.Span)).FirstOrDefault(one => one is not null);

    public static ChainLine? FirstOf(SegmentFile file) =>
        file.Forward(0).Select(one => ChainLine.Parse(one.Line.Span)).FirstOrDefault(one => one is not null);

    /// <summary>How a call ended may make a refusal of what was let through, and has words of its own.</summary>
    private static bool MayMatch(AuditSearch search, AuditEntry entry) =>
        (entry.Class is AuditClass.Change ? search with { RefusedOnly = false, Text = "" } : search).Matches(entry);

    /// <summary>What is said after an offset about entries before it, also in the next days' files.</summary>
    private void LookAhead(SegmentFile file, long from, LaterLines later)
    {
        if (!LookAhead(file, from, null, later, out var begun))
        {
            return;
        }

        foreach (var path in SegmentFile.All(folder).Where(one => string.CompareOrdinal(one, file.Path) > 0))
        {
            using var next = SegmentFile.Open(path);
            if (next is not null && !LookAhead(next, 0, begun, later, out begun))
            {
                return;
            }
        }
    }

    /// <returns>Whether what comes after the file may say more.</returns>
    private static bool LookAhead(SegmentFile file, long from, DateTimeOffset? since, LaterLines later, out DateTimeOffset? begun)
    {
        begun = since;
        foreach (var (at, bytes) in file.Forward(from))
        {
            if (at - from > LongestLook)
            {
                return false;
            }

            if (LineFilter.IsEntry(bytes.Span) || ChainLine.Parse(bytes.Span) is not { } line)
            {
                continue;
            }

            begun ??= line.At;
            if (line.At - begun > LaterLines.LongestWait)
            {
                return false;
            }

            later.Replace(line);
        }

        return true;
    }
}
