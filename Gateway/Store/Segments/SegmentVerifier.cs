using Gateway.Audit;

namespace Gateway.Store.Segments;

/// <summary>Looks at every line: whether it is what was written, where it was written, with nothing taken away or put between.</summary>
/// <param name="isSigned">Whether a signature of a line's number and hash is ours; null when that cannot be told.</param>
internal sealed class SegmentVerifier(string folder, Func<long, string, string, bool?> isSigned)
{
    private readonly List<string> _problems = [];
    private readonly List<string> _notes = [];
    private readonly Dictionary<long, string> _begins = [];
    private ChainLine? _first;
    private Line? _last;
    private readonly List<(long From, long To, int Problem)> _gaps = [];
    private long? _suspect;
    private long _highest;
    private long _lines;

    public AuditVerification Verify(CancellationToken cancel)
    {
        foreach (var path in SegmentFile.All(folder))
        {
            using var file = SegmentFile.Open(path);
            if (file is null)
            {
                continue;
            }

            var number = 0;
            foreach (var (_, bytes) in file.Forward(0))
            {
                cancel.ThrowIfCancellationRequested();
                number++;
                _lines++;
                var place = $"{Path.GetFileName(path)} line {number}";
                if (ChainLine.Parse(bytes.Span) is not { } line)
                {
                    _problems.Add($"{place} was altered: it is no line of an audit");

                    // Whatever its number was, it is the next one.
                    _highest++;
                    _last = new(place, null, "", IsInPlace: false);
                    continue;
                }

                _first ??= line;
                _highest = _last is null ? line.Number - 1 : _highest;
                Look(place, line);
                _last = new(place, line.Number, ChainLine.HashOf(bytes.Span), IsInPlace: line.Number > _highest);
                _highest = Math.Max(_highest, line.Number);
            }

            if (new FileInfo(path).Length > file.Length && path != SegmentFile.All(folder)[^1])
            {
                _problems.Add($"{Path.GetFileName(path)} ends within a line");
            }
        }

        CheckBegin();
        return new(_lines, [.. _problems.Where(one => one.Length > 0)], _notes);
    }

    private void Look(string place, ChainLine line)
    {
        if (_last is { } last)
        {
            Compare(place, line, last);
        }

        switch (line.Type)
        {
            case ChainLine.Close when line is { Head: { } head, Signature: { } signature }:
                switch (isSigned(line.Number - 1, head, signature))
                {
                    case null:
                        _notes.Add($"{place}: the signature cannot be checked; its key is not in the key ring any more");
                        break;
                    case false:
                        _problems.Add($"{place}: the signature is of other lines than those before it");
                        break;
                    case true:
                        break;
                }

                break;
            case ChainLine.Retention when line is { Through: { } through, Head: { } begin }:
                _begins[through] = begin;
                break;
            case ChainLine.Note:
                _notes.Add($"{place}: {line.Detail}");
                break;
            default:
                break;
        }
    }

    private void Compare(string place, ChainLine line, Line last)
    {
        var expected = _highest + 1;
        if (line.Number > expected)
        {
            _gaps.Add((expected, line.Number - 1, _problems.Count));
            _problems.Add($"{place}: {Count(line.Number - expected)} removed before it (entry {_highest} is followed by {line.Number})");
        }
        else if (line.Number < expected)
        {
            var gap = _gaps.FindIndex(one => one.From <= line.Number && line.Number <= one.To);
            var isMoved = gap >= 0;
            _problems.Add(isMoved
                ? $"{place}: entry {line.Number} stands after entry {last.Number}: lines were put in another order"
                : $"{place}: entry {line.Number} was inserted after entry {last.Number}");
            if (isMoved)
            {
                _problems[_gaps[gap].Problem] = "";
                _gaps.RemoveAt(gap);
            }
        }
        else if (line.Prev != last.Hash && last is { IsInPlace: true, Number: { } before })
        {
            // Of two pairs that do not fit, the line that both have is the one that was touched.
            if (_suspect == before)
            {
                _problems.RemoveAt(_problems.Count - 1);
            }

            _problems.Add($"{last.Place}: entry {before} was altered");
            _suspect = line.Number;
        }
    }

    private void CheckBegin()
    {
        if (_first is not { } first || (first.Number == 1 && first.Prev == ChainLine.NoHash))
        {
            return;
        }

        if (!_begins.TryGetValue(first.Number - 1, out var begin) || begin != first.Prev)
        {
            _problems.Insert(0, $"the beginning is missing: {Count(first.Number - 1)} removed before entry {first.Number}, and not by retention");
        }
    }

    private static string Count(long lines) => lines == 1 ? "one line was" : $"{lines} lines were";

    /// <summary>A line that was looked at.</summary>
    /// <param name="IsInPlace">Whether the line after it is to be the next one.</param>
    private sealed record Line(string Place, long? Number, string Hash, bool IsInPlace);
}
