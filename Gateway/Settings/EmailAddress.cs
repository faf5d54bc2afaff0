namespace Gateway.Settings;

/// <summary>Addresses as far as they decide anything. Compared as written, but for the case of ASCII letters.</summary>
internal static class EmailAddress
{
    private const int Longest = 320;

    /// <summary>
    /// Whether this can be an address: exactly one <c>@</c> (CVE-2026-40574), something on both sides, nothing invisible.
    /// </summary>
    public static bool IsUsable(string text) =>
        text.Split('@') is [{ Length: > 0 }, { Length: > 0 }] && !text.Contains(' ', StringComparison.Ordinal)
            && OutsideText.Complaint(text, Longest) is null;

    /// <summary>Whether two addresses are the same one. Folds ASCII only: U+212A must not become a k (CVE-2019-19844).</summary>
    public static bool AreSame(string left, string right) => AreSameText(left, right) && IsUsable(left) && IsUsable(right);

    /// <summary>Whether an address is of a domain, which is named without <c>@</c>.</summary>
    public static bool IsOfDomain(string address, string domain) =>
        IsUsable(address) && AreSameText(address.AsSpan(address.IndexOf('@', StringComparison.Ordinal) + 1), domain);

    private static bool AreSameText(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (left.Length != right.Length)
        {
            return false;
        }

        for (var at = 0; at < left.Length; at++)
        {
            if (Fold(left[at]) != Fold(right[at]))
            {
                return false;
            }
        }

        return true;
    }

    private static char Fold(char letter) => char.IsAsciiLetterUpper(letter) ? (char)(letter | 0x20) : letter;
}
