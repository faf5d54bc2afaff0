using System.Text.RegularExpressions;

namespace Gateway.Headscale;

/// <summary>
/// What names a device that waits to be registered: 24 characters up to 0.28, from 0.29 on with <c>hskey-authreq-</c> before them.
/// </summary>
internal static partial class RegistrationKey
{
    /// <summary>
    /// The key in what somebody pasted: the link that the device shows, the command that Headscale shows, or the key alone.
    /// </summary>
    public static string? Find(string pasted)
    {
        var text = pasted.Trim();
        return AuthRequest().Match(text) is { Success: true } request ? request.Value
            : InLink().Match(text) is { Success: true } link ? link.Groups[1].Value
            : InCommand().Match(text) is { Success: true } command ? command.Groups[1].Value
            : Alone().IsMatch(text) ? text
            : null;
    }

    /// <summary>Whether it is what older Headscales took.</summary>
    public static bool IsNodeKey(string pasted) =>
        pasted.Contains("nodekey:", StringComparison.Ordinal) || pasted.Contains("mkey:", StringComparison.Ordinal);

    [GeneratedRegex(@"hskey-authreq-[A-Za-z0-9_-]{24}(?![A-Za-z0-9_-])")]
    private static partial Regex AuthRequest();

    [GeneratedRegex(@"/(?:register|auth)/([A-Za-z0-9_-]{24})(?![A-Za-z0-9_-])")]
    private static partial Regex InLink();

    [GeneratedRegex(@"--(?:key|auth-id)[ =]([A-Za-z0-9_-]{24})(?![A-Za-z0-9_-])")]
    private static partial Regex InCommand();

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{24}\z")]
    private static partial Regex Alone();
}
