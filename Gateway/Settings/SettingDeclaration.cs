using System.Globalization;

namespace Gateway.Settings;

/// <summary>
/// One setting: its name, what it may hold, what counts where it is not set, and what it means. The reader, the documentation,
/// the JSON schema and the check for unknown keys go by it.
/// </summary>
/// <param name="Key">Its full name.</param>
/// <param name="Type">What it may hold.</param>
/// <param name="Meaning">What it does, in Markdown.</param>
internal sealed record SettingDeclaration(string Key, SettingType Type, string Meaning)
{
    /// <summary>Whether it is a secret, which <c>x_path</c> can give as a file.</summary>
    public bool HasFile { get; init; }
}

/// <summary>What a setting may hold, and what counts where it is not set.</summary>
/// <param name="Unset">How the documentation writes what counts where it is not set.</param>
internal abstract record SettingType(string Unset)
{
    private const string Nothing = "–";

    /// <summary>A single value.</summary>
    /// <param name="Fallback">What counts where it is not set; null: nothing, or what <paramref name="Unset"/> says.</param>
    internal sealed record Text(string? Fallback, string Unset) : SettingType(Unset)
    {
        public Text(string fallback)
            : this(fallback, $"`{fallback}`")
        {
        }
    }

    /// <summary>True or false.</summary>
    internal sealed record Flag(bool Fallback, string Unset) : SettingType(Unset);

    /// <summary>A whole number.</summary>
    internal sealed record Number(int? Fallback, int Least, int Most)
        : SettingType(Fallback is { } number ? string.Create(CultureInfo.InvariantCulture, $"`{number}`") : Nothing);

    /// <summary>One of these words; the first counts where none is given.</summary>
    internal sealed record Word(IReadOnlyList<string> Words) : SettingType($"`{Words[0]}`")
    {
        /// <summary>The words for a sentence.</summary>
        public string Named => Words.Count == 1 ? Words[0] : $"{string.Join(", ", Words.SkipLast(1))} or {Words[^1]}";
    }

    /// <summary>An http or https address.</summary>
    internal sealed record Url(string Unset = Nothing) : SettingType(Unset);

    /// <summary>A single value, or several.</summary>
    internal sealed record List(string Unset = Nothing) : SettingType(Unset);

    /// <summary>A section whose keys are free.</summary>
    internal sealed record Map() : SettingType("empty");
}
