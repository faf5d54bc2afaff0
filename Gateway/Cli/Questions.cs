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
            return Console.In.ReadLine()?.Trim() is { Length: > 0 } piped ? piped : null;
        }

        while (true)
        {
            Console.Error.Write("Headscale's API key (headscale apikeys create --expiration 365d): ");
            var typed = TypedUnseen().Trim();
            if (typed.Length == 0 || ApiKeyFormat.Complaint(typed) is not { } complaint)
            {
                return typed.Length == 0 ? null : typed;
            }

            Console.Error.WriteLine($"This is no API key of Headscale: {complaint}.");
        }
    }

    private static string TypedUnseen()
    {
        var typed = new StringBuilder();
        for (var one = Console.ReadKey(intercept: true); one.Key is not ConsoleKey.Enter; one = Console.ReadKey(intercept: true))
        {
            typed.Length -= one.Key is ConsoleKey.Backspace && typed.Length > 0 ? 1 : 0;
            typed.Append(char.IsControl(one.KeyChar) ? "" : one.KeyChar.ToString());
        }

        Console.Error.WriteLine();
        return $"{typed}";
    }

    /// <summary>An answer, or what is proposed. What cannot be used is asked again.</summary>
    /// <param name="complaintOf">What is wrong with an answer; null: nothing.</param>
    public static string? Ask(string question, string? proposal, Func<string, string?>? complaintOf = null)
    {
        if (Console.IsInputRedirected)
        {
            return proposal;
        }

        while (true)
        {
            Console.Error.Write($"{question} {(proposal is not { Length: > 0 } ? "" : $"[{proposal}] ")}");
            if (Console.ReadLine() is not { } line)
            {
                return proposal;
            }

            var answer = line.Trim() is { Length: > 0 } given ? given : proposal;
            var complaint = answer is null ? "an answer is needed" : complaintOf?.Invoke(answer);
            if (complaint is null)
            {
                return answer;
            }

            Console.Error.WriteLine($"  {complaint}");
        }
    }

    /// <summary>An address; a bare host with its port has the usual scheme.</summary>
    public static Uri? AddressOf(string text, string scheme) =>
        Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : $"{scheme}://{text}", UriKind.Absolute, out var url)
            && url.Scheme is "http" or "https" && url.Host.Length > 0 ? url : null;

    /// <summary>What is wrong with an address; null: nothing.</summary>
    public static string? Complaint(string text, string scheme) =>
        AddressOf(text, scheme) is not null && !text.Contains(' ', StringComparison.Ordinal) ? null
            : $"'{text}' is not an address such as {scheme}://headscale.example.com";
}
