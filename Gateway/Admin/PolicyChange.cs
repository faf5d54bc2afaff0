namespace Gateway.Admin;

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

    /// <summary>Beyond this, what differs is shown as replaced as a whole.</summary>
    private const int MostCompared = 4_000_000;

    private static readonly PolicyChange _gap = new(PolicyChangeKind.None, "…");

    /// <summary>What is different, with the lines around it; empty when nothing is.</summary>
    internal static IReadOnlyList<PolicyChange> Between(string before, string after)
    {
        var lines = Compare(before.Split('\n'), after.Split('\n'));
        var shown = new List<PolicyChange>();
        for (var at = 0; at < lines.Count; at++)
        {
            if (lines.Skip(at - Context).Take(Context + 1 + Math.Min(at, Context)).Any(one => one.Kind is not PolicyChangeKind.None))
            {
                shown.Add(lines[at]);
            }
            else if (shown is [] || !ReferenceEquals(shown[^1], _gap))
            {
                shown.Add(_gap);
            }
        }

        return shown is [var only] && ReferenceEquals(only, _gap) ? [] : shown;
    }

    private static List<PolicyChange> Compare(string[] before, string[] after)
    {
        var shorter = Math.Min(before.Length, after.Length);
        var head = before.Zip(after).TakeWhile(one => one.First == one.Second).Count();
        var tail = before.Reverse().Zip(after.Reverse()).Take(shorter - head).TakeWhile(one => one.First == one.Second).Count();
        return
        [
            .. before[..head].Select(Same),
            .. Middle(before[head..^tail], after[head..^tail]),
            .. before[^tail..].Select(Same),
        ];
    }

    /// <summary>By the longest common subsequence of lines.</summary>
    private static IEnumerable<PolicyChange> Middle(string[] before, string[] after)
    {
        if ((long)before.Length * after.Length > MostCompared)
        {
            return [.. before.Select(Removed), .. after.Select(Added)];
        }

        int[][] common = [.. Enumerable.Range(0, before.Length + 1).Select(_ => new int[after.Length + 1])];
        for (var b = before.Length - 1; b >= 0; b--)
        {
            for (var a = after.Length - 1; a >= 0; a--)
            {
                common[b][a] = before[b] == after[a] ? common[b + 1][a + 1] + 1 : Math.Max(common[b + 1][a], common[b][a + 1]);
            }
        }

        return Walk(before, after, common);
    }

    private static IEnumerable<PolicyChange> Walk(string[] before, string[] after, int[][] common)
    {
        var (b, a) = (0, 0);
        while (b < before.Length || a < after.Length)
        {
            if (b < before.Length && a < after.Length && before[b] == after[a])
            {
                yield return Same(before[b++]);
                a++;
            }
            else if (b < before.Length && (a == after.Length || common[b + 1][a] >= common[b][a + 1]))
            {
                yield return Removed(before[b++]);
            }
            else
            {
                yield return Added(after[a++]);
            }
        }
    }

    private static PolicyChange Same(string line) => new(PolicyChangeKind.None, line);

    private static PolicyChange Added(string line) => new(PolicyChangeKind.Added, line);

    private static PolicyChange Removed(string line) => new(PolicyChangeKind.Removed, line);
}
