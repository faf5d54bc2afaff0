using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.Settings;

/// <summary>Everything that is wrong with the configuration, each with its place: all of it at once, not just the first.</summary>
internal sealed partial class Problems
{
    private readonly List<Problem> _errors = [];
    private readonly List<Problem> _warnings = [];

    /// <summary>Lines of the form <c>file:line:column: what is wrong; what to do</c>, in the order of the file.</summary>
    public IReadOnlyList<string> Errors => InOrder(_errors);

    /// <summary>What works but deserves a look, likewise.</summary>
    public IReadOnlyList<string> Warnings => InOrder(_warnings);

    public void Add(string where, string message) => _errors.Add(new(where, message));

    public void Warn(string where, string message) => _warnings.Add(new(where, message));

    /// <summary>What has no line, such as the environment, comes last.</summary>
    private static string[] InOrder(List<Problem> problems) =>
        [.. problems.OrderBy(one => one.Line).ThenBy(one => one.Column).Select(one => $"{one.Where}: {one.Message}")
            .Distinct(StringComparer.Ordinal)];

    private sealed record Problem(string Where, string Message)
    {
        private readonly Match _place = Place().Match(Where);

        public int Line => _place.Success ? int.Parse(_place.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : int.MaxValue;

        public int Column => _place.Success ? int.Parse(_place.Groups[2].ValueSpan, CultureInfo.InvariantCulture) : 0;
    }

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
