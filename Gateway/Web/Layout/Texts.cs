using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.Web.Layout;

/// <summary>
/// The words of the pages in the reader's language. As with gettext, the English text stands where it is used and is the key;
/// texts.de.json says what each is in German. What has no translation is English.
/// </summary>
internal static partial class Texts
{
    private static readonly FrozenDictionary<string, FrozenDictionary<string, string>> _translations =
        Languages.Others.ToFrozenDictionary(language => language, Load);

    /// <summary>The language of the texts of this request, such as <c>de</c>.</summary>
    public static string Language =>
        CultureInfo.CurrentUICulture.Name is var name && _translations.ContainsKey(name) ? name : Languages.English;

    /// <summary>The text in the reader's language.</summary>
    public static string T(string english) =>
        _translations.TryGetValue(CultureInfo.CurrentUICulture.Name, out var texts)
            ? texts.GetValueOrDefault(english, english) : english;

    /// <summary>The text with values in the places <c>{0}</c>, <c>{1}</c>.</summary>
    public static string T(string english, params ReadOnlySpan<object?> values) =>
        string.Format(CultureInfo.InvariantCulture, T(english), values);

    /// <summary>A sentence of those who decide, in the reader's language, and the sentences in it as well.</summary>
    public static string T(FormattableString sentence) => string.Format(
        CultureInfo.InvariantCulture, T(sentence.Format),
            Array.ConvertAll(sentence.GetArguments(), one => one is FormattableString inner ? T(inner) : one));

    /// <summary>One text for one, another for any other number, which stands in the place <c>{0}</c>; other values follow.</summary>
    public static string Plural(long count, string one, string many, params ReadOnlySpan<object?> more) =>
        T(count == 1 ? one : many, [count, .. more]);

    /// <summary>Marks a text that is translated later, where it is used: for tables of texts.</summary>
    public static string Noop(string english) => english;

    private static FrozenDictionary<string, string> Load(string language)
    {
        using var stream = typeof(Texts).Assembly.GetManifestResourceStream($"texts.{language}.json")!;
        return JsonSerializer.Deserialize(stream, TextsJson.Default.DictionaryStringString)!.ToFrozenDictionary(StringComparer.Ordinal);
    }

    [JsonSerializable(typeof(Dictionary<string, string>))]
    private sealed partial class TextsJson : JsonSerializerContext;
}
