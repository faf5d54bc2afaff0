using Gateway.Audit;

namespace Gateway.Store.Segments;

/// <summary>What lines that were met said of entries that are still to be met, on the way from the newest to the oldest.</summary>
internal sealed class LaterLines(AuditSearch search)
{
    private const int Many = 50_000;

    /// <summary>How far behind an entry its outcome and its count are looked for: a minute, and what calls take.</summary>
    public static TimeSpan LongestWait { get; } = TimeSpan.FromMinutes(3);

    private readonly Dictionary<string, ChainLine> _lines = new(StringComparer.Ordinal);

    /// <summary>How many entries are to be met that match by what was said of them later.</summary>
    public int Suspects { get; private set; }

    /// <summary>An entry with what was said later; null for lines that are about others, which are remembered.</summary>
    public AuditEntry? Join(ChainLine line)
    {
        if (line.Of is { } of)
        {
            if (_lines.TryAdd(of, line) && IsSuspect(line))
            {
                Suspects++;
            }

            Bound(line.At);
            return null;
        }

        if (!line.IsEntry)
        {
            return null;
        }

        var entry = line.ToEntry();
        if (!_lines.Remove(entry.RequestId, out var end))
        {
            return entry;
        }

        Suspects -= IsSuspect(end) ? 1 : 0;
        return end.AddTo(entry);
    }

    /// <summary>Remembers a line that is newer than the one that is known.</summary>
    public void Replace(ChainLine line)
    {
        if (line.Of is { } of)
        {
            _lines.Remove(of);
            Join(line);
        }
    }

    private bool IsSuspect(ChainLine line) =>
        search.Text.Length > 0 && line.Reason?.Contains(search.Text, StringComparison.OrdinalIgnoreCase) is true;

    /// <summary>Entries that were passed by leave what was said of them behind.</summary>
    private void Bound(DateTimeOffset now)
    {
        if (_lines.Count < Many)
        {
            return;
        }

        foreach (var (of, line) in _lines.Where(one => one.Value.At - now > LongestWait).ToArray())
        {
            Suspects -= IsSuspect(line) ? 1 : 0;
            _lines.Remove(of);
        }
    }
}
