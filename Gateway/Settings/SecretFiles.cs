using System.Text;
using System.Text.RegularExpressions;

namespace Gateway.Settings;

/// <summary>A secret is given as <c>x</c> or as <c>x_path</c>, never as both.</summary>
internal static partial class SecretFiles
{
    private const int LargestSecret = 64 * 1024;

    /// <summary>
    /// Reads <paramref name="key"/> or the file that <c>key_path</c> names. Files read are added to <paramref name="files"/>.
    /// </summary>
    public static Secret? Read(YamlMap map, string key, IReadOnlyDictionary<string, string> environment, ICollection<string> files)
    {
        var (inline, path) = (map.Text(key), map.Text(key + "_path"));
        if (inline is not null && path is not null)
        {
            map.Complain(key + "_path", $"'{key}' is set as well; give only one of the two");
            return null;
        }

        if (path is null && inline is not null)
        {
            // A key of Headscale opens nothing of the gateway; that it is none is said elsewhere.
            if (!key.EndsWith("api_key", StringComparison.Ordinal) && Placeholder(inline) is { } complaint)
            {
                map.Complain(key, complaint);
                return null;
            }

            return new Secret(inline);
        }

        return ReadFile(map, key + "_path", environment, files);
    }

    /// <summary>Why an inline secret is a text that anybody can guess; null when it is none of those.</summary>
    private static string? Placeholder(string inline) =>
        inline.Contains("${", StringComparison.Ordinal)
            ? "variables are put in only in the paths of files; give it in a file, or by a variable of the gateway's own (HEADTOWER_…)"
        : inline is ['<', .., '>'] || inline.Equals("changeme", StringComparison.OrdinalIgnoreCase)
            ? "this is a placeholder, which anybody can guess"
        : null;

    /// <summary>
    /// Reads the file that <paramref name="key"/> names, with <c>${VAR}</c> put in; null when there is none, or after a complaint.
    /// </summary>
    public static Secret? ReadFile(YamlMap map, string key, IReadOnlyDictionary<string, string> environment, ICollection<string> files)
    {
        if (map.Text(key) is not { } path)
        {
            return null;
        }

        var expanded = Expand(map, key, path, environment);
        files.Add(expanded);
        return FromFile(map, key, expanded, path);
    }

    /// <summary>A path with <c>${VAR}</c> put in; complains about what is not set.</summary>
    public static string Expand(YamlMap map, string key, string path, IReadOnlyDictionary<string, string> environment) =>
        Variable().Replace(path, match =>
        {
            if (environment.TryGetValue(match.Groups[1].Value, out var value))
            {
                return value;
            }

            map.Complain(key, $"the environment variable {match.Groups[1].Value} is not set");
            return "";
        });

    /// <summary>A path with <c>${VAR}</c> put in; what is not set is nothing.</summary>
    public static string Expand(string path, IReadOnlyDictionary<string, string> environment) =>
        Variable().Replace(path, match => environment.GetValueOrDefault(match.Groups[1].Value, ""));

    /// <summary>Why a file could not be read. What was written as its path may be the secret itself, put into the wrong key.</summary>
    /// <param name="written">The path as the settings have it, without the values of variables.</param>
    /// <param name="cause">What the system said.</param>
    public static string UnreadableComplaint(string written, Exception cause) =>
        !LooksLikePath(written) && cause is not (UnauthorizedAccessException or DecoderFallbackException)
            ? "there is no file of this name; write the path of a file, from / on"
        : $"cannot read {OutsideText.Clean(written)}: " + cause switch
        {
            FileNotFoundException or DirectoryNotFoundException => "it is not there",
            UnauthorizedAccessException => "it is a directory, or the gateway may not read it",
            DecoderFallbackException => "it is not UTF-8 text",
            _ => "the system cannot read it",
        };

    /// <summary>What an editor or a shell put at the end is not part of the value.</summary>
    public static string WithoutNewline(string value) =>
        value.EndsWith("\r\n", StringComparison.Ordinal) ? value[..^2] : value.EndsWith('\n') ? value[..^1] : value;

    private static bool LooksLikePath(string written) =>
        written is ['/', ..] or ['.', '/', ..] or ['.', '.', '/', ..] or ['$', '{', ..]
            && !written.Contains('\n', StringComparison.Ordinal);

    private static Secret? FromFile(YamlMap map, string key, string file, string written)
    {
        try
        {
            if (new FileInfo(file).Length > LargestSecret)
            {
                map.Complain(key, $"{OutsideText.Clean(written)} is larger than a secret ({LargestSecret} bytes at most)");
                return null;
            }

            var text = File.ReadAllText(file, new UTF8Encoding(false, throwOnInvalidBytes: true));
            text = WithoutNewline(text);
            if (text.Length == 0)
            {
                map.Complain(key, $"{OutsideText.Clean(written)} is empty");
                return null;
            }

            return new Secret(text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException or ArgumentException)
        {
            map.Complain(key, UnreadableComplaint(written, e));
            return null;
        }
    }

    [GeneratedRegex(@"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", RegexOptions.None, 1000)]
    private static partial Regex Variable();
}
