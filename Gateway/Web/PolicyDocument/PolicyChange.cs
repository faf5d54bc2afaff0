using DiffPlex;
using DiffPlex.Chunkers;

namespace Gateway.Web.PolicyDocument;

/// <summary>What becomes of a line of the policy.</summary>
public enum PolicyChangeKind
{
    /// <summary>Nothing; it stands beside a change.</summary>
    None = 0,

    /// <summary>It is new.</summary>
    Added,

    /// <summary>It goes.</summary>
    Removed,
}

/// <summary>A line of the policy in a comparison.</summary>
/// <param name="Kind">What becomes of it.</param>
/// <param name="Text">The line.</param>
public sealed record PolicyChange(PolicyChangeKind Kind, string Text)
{
    /// <summary>Lines around a change that are shown with it.</summary>
    private const int Context = 3;

    private static readonly PolicyChange _gap = new(PolicyChangeKind.None, "…");

    /// <summary>At line feeds alone, so that a carriage return that comes or goes is a change that is seen.</summary>
    private static readonly CustomFunctionChunker _lines = new(text => text.Split('\n'));

    /// <summary>What is different, with the lines around it; empty when nothing is.</summary>
    internal static IReadOnlyList<PolicyChange> Between(string before, string after)
    {
        var diff = Differ.Instance.CreateDiffs(before, after, ignoreWhiteSpace: false, ignoreCase: false, _lines);
        var shown = new List<PolicyChange>();
        var (at, end) = (0, diff.PiecesOld.Count);
        for (var block = 0; block < diff.DiffBlocks.Count; block++)
        {
            var change = diff.DiffBlocks[block];
            Keep(at, change.DeleteStartA, isFirst: block == 0, isLast: false);
            shown.AddRange(
                diff.PiecesOld.Skip(change.DeleteStartA).Take(change.DeleteCountA)
                    .Select(line => new PolicyChange(PolicyChangeKind.Removed, line)));
            shown.AddRange(
                diff.PiecesNew.Skip(change.InsertStartB).Take(change.InsertCountB)
                    .Select(line => new PolicyChange(PolicyChangeKind.Added, line)));
            at = change.DeleteStartA + change.DeleteCountA;
        }

        if (shown.Count > 0)
        {
            Keep(at, end, isFirst: false, isLast: true);
        }

        return shown;

        void Keep(int from, int until, bool isFirst, bool isLast)
        {
            var (after, before) = (isFirst ? 0 : Context, isLast ? 0 : Context);
            for (var line = from; line < until; line++)
            {
                if (line < from + after || line >= until - before)
                {
                    shown.Add(new(PolicyChangeKind.None, diff.PiecesOld[line]));
                }
                else if (shown is [] || !ReferenceEquals(shown[^1], _gap))
                {
                    shown.Add(_gap);
                }
            }
        }
    }
}
