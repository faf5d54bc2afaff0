using System.Text;
using Gateway.Headscale;

namespace Gateway.Cli;

/// <summary>What <c>gateway init</c> asks, where somebody is there to ask.</summary>
internal static class Questions
{
    /// <summary>Headscale's API key, from standard input; typed, it is not shown. Null: there is none.</summary>
    public static string? ReadKey()
    {
        if (Console.IsInputRedirected)
        {
            return Console.In.ReadLine()?.Trim() is { } piped && ApiKeyFormat.PrefixOf(piped) is not null ? piped : null;
        }

        Console.Error.Write("Headscale's API key (headscale apikeys create --expiration 365d): ");
        var typed = new StringBuilder();
        for (var one = Console.ReadKey(intercept: true); one.Key is not ConsoleKey.Enter; one = Console.ReadKey(intercept: true))
        {
            typed.Length -= one.Key is ConsoleKey.Backspace && typed.Length > 0 ? 1 : 0;
            typed.Append(char.IsControl(one.KeyChar) ? "" : one.KeyChar.ToString());
        }

        Console.Error.WriteLine();
        return ApiKeyFormat.PrefixOf(typed.ToString().Trim()) is not null ? typed.ToString().Trim() : null;
    }

    /// <summary>An answer, or what is proposed.</summary>
    public static string? Ask(string question, string? proposal)
    {
        if (Console.IsInputRedirected)
        {
            return proposal;
        }

        Console.Error.Write($"{question} {(proposal is null ? "" : $"[{proposal}] ")}");
        return Console.ReadLine()?.Trim() is { Length: > 0 } answer ? answer : proposal;
    }
}
