namespace Gateway.Headscale;

/// <summary>The written forms of Headscale's credentials. The secret part is never looked at.</summary>
internal static class ApiKeyFormat
{
    private const string KeyStart = "hskey-api-";
    private const string TokenStart = "hskey-oauthtok-";
    private const string ApiKeys = "/api/v1/apikey";
    private const int LegacyPrefix = 7;
    private const int LegacySecret = 32;
    private const int Prefix = 12;
    private const int Secret = 64;

    /// <summary>
    /// The public prefix of a well-formed API key, else null: <c>7.32</c> up to 0.27, <c>hskey-api-12-64</c> since. The
    /// alphabet has '-' and '_' in it, so the parts are told by length.
    /// </summary>
    public static string? PrefixOf(string key)
    {
        if (key.Length == LegacyPrefix + 1 + LegacySecret && key[LegacyPrefix] == '.')
        {
            return IsUrlSafe(key.AsSpan(0, LegacyPrefix)) && IsUrlSafe(key.AsSpan(LegacyPrefix + 1)) ? key[..LegacyPrefix] : null;
        }

        return Split(key, KeyStart);
    }

    /// <summary>Whether a path, read as loosely as any Headscale does, leads to the API keys.</summary>
    public static bool MayBeMeantBy(string path) => Uri.UnescapeDataString(path).StartsWith(ApiKeys, StringComparison.OrdinalIgnoreCase);

    /// <summary>What is wrong with the form of a configured key, without a word of it; null when nothing is.</summary>
    public static string? Complaint(string key) =>
        PrefixOf(key) is not null ? null
        : key.Contains("${", StringComparison.Ordinal)
            ? "variables are put in only in headscale.api_key_path; HEADTOWER_HEADSCALE__API_KEY gives it from the environment"
        : key is ['<', .., '>'] ? "it is a placeholder; make a key with 'headscale apikeys create'"
        : key.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? "leave out 'Bearer'"
        : key.Trim().Length != key.Length ? "it begins or ends with a blank"
        : "it must be hskey-api-… as 'headscale apikeys create' printed it, or up to Headscale 0.27 seven characters, a dot and 32";

    /// <summary>The public part of a well-formed OAuth access token of 0.30 (only /api/v2 takes them), else null.</summary>
    public static string? TokenPrefixOf(string token) => Split(token, TokenStart);

    /// <summary>Whether a prefix from Headscale's key list, bare or masked, is that of <paramref name="key"/>.</summary>
    public static bool IsListedAs(string key, string listed) => BareOf(listed) is { Length: > 0 } bare && PrefixOf(key) == bare;

    /// <summary>A prefix from Headscale's key list as <see cref="PrefixOf"/> gives it.</summary>
    public static string BareOf(string listed)
    {
        var bare = listed.TrimEnd('*').TrimEnd('-');
        return bare.StartsWith(KeyStart, StringComparison.Ordinal) ? bare[KeyStart.Length..] : bare;
    }

    private static string? Split(string text, string start) =>
        text.Length == start.Length + Prefix + 1 + Secret
        && text.StartsWith(start, StringComparison.Ordinal)
        && text[start.Length + Prefix] == '-'
        && IsUrlSafe(text.AsSpan(start.Length, Prefix))
        && IsUrlSafe(text.AsSpan(start.Length + Prefix + 1))
            ? text.Substring(start.Length, Prefix)
            : null;

    private static bool IsUrlSafe(ReadOnlySpan<char> text)
    {
        foreach (var one in text)
        {
            if (!char.IsAsciiLetterOrDigit(one) && one is not '-' and not '_')
            {
                return false;
            }
        }

        return true;
    }
}
