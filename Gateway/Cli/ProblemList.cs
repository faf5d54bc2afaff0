using System.Text.RegularExpressions;
using Gateway.Settings;

namespace Gateway.Cli;

/// <summary>
/// Prints what was found, file by file: each with its line of the file and a mark below it. Where that line may hold a secret, what
/// stands behind its key is left out.
/// </summary>
/// <param name="settings">The file with the settings, which may hold secrets.</param>
/// <param name="write">Takes a line.</param>
/// <param name="hasColor">Whether the reader is a terminal that shows colours.</param>
internal sealed partial class ProblemList(string settings, Action<string> write, bool hasColor)
{
    private const string Red = "31";
    private const string Yellow = "33";
    private const string Green = "32";
    private const string Faint = "2";

    /// <summary>Keys whose values may be shown; a mistyped key may have been meant for a secret.</summary>
    private static readonly HashSet<string> _open =
        [.. SettingDeclarations.All.Where(one => !one.HasFile).SelectMany(one => one.Key.Split('.'))];

    /// <summary>Standard output, with colours on a terminal unless NO_COLOR is set (no-color.org).</summary>
    public static ProblemList OfConsole(string settings) => new(
        settings,
        Console.WriteLine,
        !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or ""
            && Environment.GetEnvironmentVariable("TERM") is not "dumb");

    /// <param name="problems">What was found.</param>
    /// <param name="fine">What was looked at and is as it must be.</param>
    public void Print(Problems problems, IReadOnlyList<string> fine)
    {
        foreach (var line in fine)
        {
            write($"{Colored(Green, "fine:")} {line}");
        }

        foreach (var problem in problems.InOrder.DistinctBy(one => (one.IsError, one.Text)))
        {
            write($"{(problem.IsError ? Colored(Red, "error:") : Colored(Yellow, "warning:"))} {problem.Text}");
            if (LineOf(problem) is { } line)
            {
                var number = $"{problem.Line}";
                write(Colored(Faint, $"  {number} | {line}"));
                if (problem.Column <= line.Length)
                {
                    var mark = Mark(line, problem.Column - 1);
                    write($"  {new string(' ', number.Length)} | {mark.Before}{Colored(problem.IsError ? Red : Yellow, mark.Carets)}");
                }
            }
        }

        var errors = problems.Errors.Count;
        write(errors == 0 ? Colored(Green, "The configuration is fine.") : Colored(Red, $"{errors} problem(s) found."));
    }

    /// <summary>The line as it may be shown; null where it cannot be read or may be part of a secret.</summary>
    private string? LineOf(Problem problem)
    {
        try
        {
            return problem.File is { } file && File.ReadLines(file).ElementAtOrDefault(problem.Line - 1) is { } line
                ? file == settings ? Shown(line) : Clean(UserInfo().Replace(line, "://…@"))
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>A line up to the first value that may be secret; null for a line without a key, which may go on with one.</summary>
    internal static string? Shown(string line)
    {
        var keys = Key().Matches(line);
        if (keys.Count == 0 || !line.AsSpan(0, keys[0].Index).Trim(" -{\t\"'").IsEmpty)
        {
            return null;
        }

        foreach (Match key in keys)
        {
            if (!_open.Contains(key.Groups[1].Value))
            {
                return Clean(line[..(key.Index + key.Length)]) + " …";
            }
        }

        return Clean(UserInfo().Replace(line, "://…@"));
    }

    /// <summary>Marks the word at a place.</summary>
    private static (string Before, string Carets) Mark(string line, int start)
    {
        var end = start;
        while (end < line.Length && (char.IsLetterOrDigit(line[end]) || line[end] is '_' or '-' or '.' or '/'))
        {
            end++;
        }

        return (string.Concat(line[..start].Select(one => one == '\t' ? '\t' : ' ')), new string('^', Math.Max(1, end - start)));
    }

    /// <summary>A terminal must not be steered by a file.</summary>
    private static string Clean(string line) =>
        string.Concat(line.TrimEnd().Select(one => char.IsControl(one) && one != '\t' ? '?' : one));

    private string Colored(string color, string text) => hasColor ? $"\e[{color}m{text}\e[0m" : text;

    /// <summary>A key of YAML, also in braces and in quotes.</summary>
    [GeneratedRegex("""(?<![\\w/:.-])["']?([A-Za-z_][\w.-]*)["']?\s*:(?=\s|$)""", RegexOptions.None, 1000)]
    private static partial Regex Key();

    /// <summary>The name and password of an address.</summary>
    [GeneratedRegex("://[^/@\\s]*@", RegexOptions.None, 1000)]
    private static partial Regex UserInfo();
}
