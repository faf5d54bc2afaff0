using System.Globalization;

namespace Gateway.Settings;

/// <summary>
/// Typed reading of one mapping. It collects complaints instead of throwing, and remembers which keys were asked for, so
/// that the documentation can be held to it.
/// </summary>
internal sealed class YamlMap(YamlValue.Mapping node, string path, Problems problems)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly List<YamlMap> _children = [];
    private readonly Dictionary<string, YamlMap> _sections = new(StringComparer.Ordinal);

    public IEnumerable<string> Keys => node.Members.Keys;

    public Problems Problems => problems;

    /// <summary>Whether a key says anything: null and an empty text are absence.</summary>
    public bool Has(string key) => node.Members.TryGetValue(key, out var value) && value is not YamlValue.Scalar { Text: null or "" };

    /// <summary>Whether a key holds a section.</summary>
    public bool IsMap(string key) => node.Members.TryGetValue(key, out var value) && value is YamlValue.Mapping;

    /// <summary>The place of a key for messages about it; the place of the mapping when the key is absent.</summary>
    public string At(string key) => node.Members.TryGetValue(key, out var value)
        ? $"{WhereOf(key, value)}: {path}{key}"
        : $"{node.Where}: {path}{key}";

    private string WhereOf(string key, YamlValue value) =>
        value is not YamlValue.Scalar { FromEnvironment: true } && node.KeyPlaces.TryGetValue(key, out var place) ? place : value.Where;

    public void Complain(string key, string message) => problems.Add(At(key), message);

    public void Warn(string key, string message) => problems.Warn(At(key), message);

    public YamlMap? Map(string key)
    {
        if (_sections.TryGetValue(key, out var section))
        {
            return section;
        }

        switch (Find(key))
        {
            case null:
                return null;
            case YamlValue.Mapping map:
                var child = new YamlMap(map, $"{path}{key}.", problems);
                _children.Add(child);
                _sections[key] = child;
                return child;
            default:
                Complain(key, "this must be a section with keys of its own");
                return null;
        }
    }

    /// <summary>The section, or an empty one that is read for its defaults.</summary>
    public YamlMap MapOrEmpty(string key) => Map(key) ?? new YamlMap(YamlValue.Mapping.Empty(node.Where), $"{path}{key}.", problems);

    /// <summary>The items of a list of mappings.</summary>
    public IReadOnlyList<YamlMap> Maps(string key)
    {
        if (Find(key) is not { } value)
        {
            return [];
        }

        if (value is not YamlValue.Sequence { Items: var items } || items.Any(one => one is not YamlValue.Mapping))
        {
            Complain(key, "this must be a list of entries with keys");
            return [];
        }

        YamlMap[] maps = [.. items.OfType<YamlValue.Mapping>().Select((one, at) => new YamlMap(one, $"{path}{key}[{at}].", problems))];
        _children.AddRange(maps);
        return maps;
    }

    public string? Text(string key) => Find(key) switch
    {
        null => null,
        YamlValue.Scalar { Text: { } text } => text,
        _ => Wrong<string>(key, "this must be a single value"),
    };

    public string Text(string key, string fallback) => Text(key) ?? fallback;

    /// <summary>A declared setting that has a value where it is not set.</summary>
    public string TextOrDefault(string key) => Text(key) ?? SettingDeclarations.TypeOf<SettingType.Text>(path + key).Fallback!;

    /// <summary>A declared setting that is true or false.</summary>
    public bool Flag(string key) => Flag(key, SettingDeclarations.TypeOf<SettingType.Flag>(path + key).Fallback);

    /// <summary>A declared number within its bounds; 0 where it has no default.</summary>
    public int Number(string key)
    {
        var (fallback, least, most) = SettingDeclarations.TypeOf<SettingType.Number>(path + key);
        return Number(key, fallback ?? 0, least, most);
    }

    /// <summary>One of the words that are declared for a setting; the default where none, or another one, is given.</summary>
    public string Word(string key)
    {
        var type = SettingDeclarations.TypeOf<SettingType.Word>(path + key);
        return Text(key) switch
        {
            null => type.Words[0],
            var text when type.Words.Contains(text) => text,
            _ => WrongValue(key, $"this must be {type.Named}", type.Words[0]),
        };
    }

    public bool Flag(string key, bool fallback) => Text(key)?.ToUpperInvariant() switch
    {
        null => fallback,
        "TRUE" => true,
        "FALSE" => false,
        _ => WrongValue(key, "this must be true or false", fallback),
    };

    public int Number(string key, int fallback, int least, int most) => Text(key) switch
    {
        null => fallback,
        var text when int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least
            && number <= most => number,
        _ => WrongValue(key, $"this must be a whole number from {least} to {most}", fallback),
    };

    /// <summary>A list of words. A single value counts as a list of one; from the environment it is split at commas.</summary>
    public IReadOnlyList<string>? Texts(string key)
    {
        switch (Find(key))
        {
            case null:
                return null;
            case YamlValue.Scalar { Text: { } text, FromEnvironment: true }:
                return [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
            case YamlValue.Scalar { Text: { } single }:
                return [single];
            case YamlValue.Sequence { Items: var items } when items.All(one => one is YamlValue.Scalar { Text: not null }):
                return [.. items.OfType<YamlValue.Scalar>().Select(one => one.Text!)];
            default:
                return Wrong<IReadOnlyList<string>>(key, "this must be a list of single values");
        }
    }

    /// <summary>A section whose keys are free, such as <c>role_map</c>.</summary>
    public IReadOnlyDictionary<string, string> Words(string key)
    {
        var words = new Dictionary<string, string>(StringComparer.Ordinal);
        if (Map(key) is { } map)
        {
            foreach (var name in map.Keys.ToArray())
            {
                words[name] = map.Text(name, "");
            }
        }

        return words;
    }

    /// <summary>An absolute http or https address without query and fragment, and no trailing slash.</summary>
    public Uri? Url(string key)
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        return Uri.TryCreate(text, UriKind.Absolute, out var url)
            && url is { Scheme: "http" or "https", Query: "", Fragment: "", UserInfo: "" }
            ? url
            : Wrong<Uri>(key, "this must be an address such as https://headscale.example.com, without user, query and fragment");
    }

    /// <summary>Every key that was asked for, here and in the sections that are there, with its full name.</summary>
    public IEnumerable<string> KnownKeys() => _known.Select(one => path + one).Concat(_children.SelectMany(one => one.KnownKeys()));

    /// <summary>The place of a key by its full name, such as <c>oidc.role_map.staff</c>; that of the section when it is absent.</summary>
    public string PlaceOf(string fullKey)
    {
        var parts = fullKey.Split('.', 2);
        return parts is [var section, var rest] && node.Members.TryGetValue(section, out var value) && value is YamlValue.Mapping inner
            ? new YamlMap(inner, $"{path}{section}.", problems).PlaceOf(rest)
            : At(parts[0]);
    }

    /// <summary>
    /// Complains about every key that was not asked for, here and in the sections that were. Only where what is asked for depends on
    /// nothing.
    /// </summary>
    public void RejectUnknownKeys()
    {
        foreach (var key in Keys.Where(key => !_known.Contains(key)))
        {
            Complain(key, $"there is no such key{Problems.Suggest(key, _known)}");
        }

        foreach (var child in _children)
        {
            child.RejectUnknownKeys();
        }
    }

    private YamlValue? Find(string key)
    {
        _known.Add(key);
        return Has(key) ? node.Members[key] : null;
    }

    private T? Wrong<T>(string key, string message)
        where T : class
    {
        Complain(key, message);
        return null;
    }

    private T WrongValue<T>(string key, string message, T fallback)
    {
        Complain(key, message);
        return fallback;
    }
}
