using Gateway.Audit;

namespace Gateway.Store;

/// <summary>
/// Looks at the lines of one chain: whether each is what was written, where it was written, with nothing taken away or put between.
/// </summary>
/// <param name="closed">Where the chain was signed last, as far as that is known.</param>
/// <param name="isSigned">Whether a signature of a line's number and hash is ours; null when that cannot be told.</param>
/// <param name="written">How far this process wrote it, which nobody has signed yet; null where it does not write it.</param>
internal sealed class ChainVerifier(Func<long, string, string, bool?> isSigned, AuditHead? closed = null, AuditHead? written = null)
{
    private readonly List<string> _problems = [];
    private readonly List<string> _notes = [];
    private readonly Dictionary<long, string> _begins = [];
    private ChainLine? _first;
    private string? _known;
    private string? _newest;
    private Line? _last;
    private readonly List<(long From, long To, int Problem)> _gaps = [];
    private long? _suspect;
    private long _highest;
    private long _lines;

    /// <summary>Takes the next line, in the order that they stand in.</summary>
    /// <param name="place">Where it stands, for whoever looks for it.</param>
    public void Look(string place, ReadOnlySpan<byte> bytes)
    {
        _lines++;
        if (ChainLine.Parse(bytes) is not { } line)
        {
            _problems.Add($"{place} was altered: it is no line of an audit");

            // Whatever its number was, it is the next one.
            _highest++;
            _last = new(place, null, "", IsInPlace: false);
            return;
        }

        _first ??= line;
        _highest = _last is null ? line.Number - 1 : _highest;
        Look(place, line);
        _last = new(place, line.Number, ChainLine.HashOf(bytes), IsInPlace: line.Number > _highest);
        _highest = Math.Max(_highest, line.Number);
        _known = line.Number == closed?.Number ? ChainLine.HashOf(bytes) : _known;
        _newest = line.Number == written?.Number ? ChainLine.HashOf(bytes) : _newest;
    }

    /// <summary>A chain may begin after this line: retention deleted what was before.</summary>
    public void Allow(long through, string head) => _begins[through] = head;

    /// <summary>Says something that is wrong besides the lines.</summary>
    public void Add(string problem) => _problems.Add(problem);

    /// <summary>What came of it.</summary>
    public AuditVerification Finish()
    {
        CheckBegin();
        if (closed is { } last && last.Number > _highest)
        {
            _problems.Add(
                $"the end is missing: {Count(last.Number - _highest)} removed after entry {_highest}; it was signed up to entry "
                + $"{last.Number}");
        }
        else if (_known is not null && _known != closed?.Hash)
        {
            _problems.Add($"entry {closed?.Number} is not the one that was signed: lines up to it were written anew");
        }

        else if (written is { } own && own.Number > _highest)
        {
            _problems.Add(
                $"the end is missing: {Count(own.Number - _highest)} removed after entry {_highest}; this gateway wrote up to entry "
                + $"{own.Number}");
        }
        else if (_newest is not null && _newest != written?.Hash)
        {
            _problems.Add($"entry {written?.Number} is not the one that this gateway wrote");
        }

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
                        _problems.Add($"{place}: the signature is not one of this key ring");
                        break;
                    case true when head == line.Prev:
                        break;
                    default:
                        _problems.Add($"{place}: the signature is of other lines than those before it");
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
            _problems.Insert(
                0, $"the beginning is missing: {Count(first.Number - 1)} removed before entry {first.Number}, and not by retention");
        }
    }

    private static string Count(long lines) => lines == 1 ? "one line was" : $"{lines} lines were";

    /// <summary>A line that was looked at.</summary>
    /// <param name="IsInPlace">Whether the line after it is to be the next one.</param>
    private sealed record Line(string Place, long? Number, string Hash, bool IsInPlace);
}
