using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.Settings;

/// <summary>One thing that is wrong, or deserves a look.</summary>
/// <param name="IsError">Whether the gateway does not start with it.</param>
/// <param name="Where">The place: <c>file:line:column: key</c>, a key, or a variable.</param>
/// <param name="Message">What is wrong; what to do.</param>
internal sealed record Problem(bool IsError, string Where, string Message)
{
    /// <summary>The file; null where there is no line to show.</summary>
    public string? File { get; init; }

    /// <summary>From 1.</summary>
    public int Line { get; init; }

    /// <summary>From 1, in characters.</summary>
    public int Column { get; init; }

    /// <summary>The place and the message.</summary>
    public string Text => $"{Where}: {Message}";
}

/// <summary>Everything that is wrong with the configuration, each with its place: all of it at once, not just the first.</summary>
internal sealed partial class Problems
{
    private readonly List<Problem> _all = [];

    /// <summary>Lines of the form <c>file:line:column: what is wrong; what to do</c>, in the order of the file.</summary>
    public IReadOnlyList<string> Errors => LinesOf(isError: true);

    /// <summary>What works but deserves a look, likewise.</summary>
    public IReadOnlyList<string> Warnings => LinesOf(isError: false);

    /// <summary>All, file by file, each in the order of its lines. What has no line, such as the environment, comes last.</summary>
    public IReadOnlyList<Problem> InOrder =>
        [.. _all.Distinct().OrderBy(one => one.File is null).ThenBy(FirstOf).ThenBy(one => one.Line).ThenBy(one => one.Column)];

    public void Add(string where, string message) => Note(true, where, message);

    public void Warn(string where, string message) => Note(false, where, message);

    private void Note(bool isError, string where, string message)
    {
        var place = Place().Match(where);
        _all.Add(place.Success
            ? new(isError, where, message)
            {
                File = where[..place.Index],
                Line = int.Parse(place.Groups[1].ValueSpan, CultureInfo.InvariantCulture),
                Column = int.Parse(place.Groups[2].ValueSpan, CultureInfo.InvariantCulture),
            }
            : new(isError, where, message));
    }

    /// <summary>Files come in the order in which something was found in them first.</summary>
    private int FirstOf(Problem problem) => _all.FindIndex(one => one.File == problem.File);

    private string[] LinesOf(bool isError) =>
        [.. InOrder.Where(one => one.IsError == isError).Select(one => one.Text).Distinct(StringComparer.Ordinal)];

    [GeneratedRegex(@":([0-9]{1,9}):([0-9]{1,9})(?:: |$)", RegexOptions.None, 1000)]
    private static partial Regex Place();

    /// <summary>The known word that a mistyped one was probably meant to be, as a hint to append to a message.</summary>
    public static string Suggest(string wrong, IEnumerable<string> known)
    {
        var nearest = known.Select(word => (word, distance: Distance(wrong, word))).OrderBy(one => one.distance)
            .ThenBy(one => one.word, StringComparer.Ordinal).FirstOrDefault();
        return nearest.word is not null && nearest.distance <= Math.Max(2, wrong.Length / 3) ? $"; did you mean '{nearest.word}'?" : "";
    }

    /// <summary>Levenshtein distance, ignoring case.</summary>
    private static int Distance(string a, string b)
    {
        var previous = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var current = new int[b.Length + 1];
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var same = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                current[j] = Math.Min(Math.Min(current[j - 1] + 1, previous[j] + 1), previous[j - 1] + same);
            }

            previous = current;
        }

        return previous[^1];
    }
}
