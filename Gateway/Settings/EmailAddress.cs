namespace Gateway.Settings;

/// <summary>Addresses as far as they decide anything. Compared as written, but for the case of ASCII letters.</summary>
internal static class EmailAddress
{
    private const int Longest = 320;

    /// <summary>Whether this can be an address: exactly one <c>@</c> (CVE-2026-40574), something on both sides, nothing invisible.</summary>
    public static bool IsUsable(string text) =>
        text.Split('@') is [{ Length: > 0 }, { Length: > 0 }] && !text.Contains(' ', StringComparison.Ordinal) && OutsideText.Complaint(text, Longest) is null;

    /// <summary>Whether two addresses are the same one. Folds ASCII only: U+212A must not become a k (CVE-2019-19844).</summary>
    public static bool AreSame(string left, string right) => IsUsable(left) && IsUsable(right) && AreSameText(left, right);

    /// <summary>Whether an address is of a domain, which is named without <c>@</c>.</summary>
    public static bool IsOfDomain(string address, string domain) => IsUsable(address) && AreSameText(address[(address.IndexOf('@', StringComparison.Ordinal) + 1)..], domain);

    private static bool AreSameText(string left, string right) =>
        left.Length == right.Length && left.Zip(right).All(pair => Fold(pair.First) == Fold(pair.Second));

    private static char Fold(char letter) => char.IsAsciiLetterUpper(letter) ? (char)(letter | 0x20) : letter;
}
