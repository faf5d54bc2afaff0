using Gateway.Settings;

namespace Gateway.Identity;

/// <summary>The form in which a source said somebody's groups or roles.</summary>
internal enum GroupForm
{
    /// <summary>Nothing was said.</summary>
    Absent = 0,

    /// <summary>One text, which is one name: nothing is split that may have a comma in it.</summary>
    Text,

    /// <summary>A list of texts.</summary>
    List,

    /// <summary>An object, whose keys are the names (Zitadel) where they stand for something: an object, a list or true.</summary>
    Keys,

    /// <summary>The provider left the names out because there are too many, and points elsewhere (Entra ID).</summary>
    Overage,

    /// <summary>Something that has no names in it.</summary>
    Unreadable,
}

/// <summary>
/// What a source said about somebody's groups or roles, and how: a role that follows from nothing is never given without a word.
/// </summary>
/// <param name="Where">The claim or header, as people call it.</param>
/// <param name="Form">How it was said.</param>
/// <param name="Values">The names, exactly as they were said.</param>
/// <param name="Unreadable">What it was instead of names, such as "a number".</param>
internal sealed record GroupStatement(string Where, GroupForm Form, IReadOnlyList<string> Values, string? Unreadable = null)
{
    private const int MostShown = 8;

    public static GroupStatement None { get; } = new("", GroupForm.Absent, []);

    /// <summary>The statement for the log and for pages: text from outside, cleaned and cut.</summary>
    public string Describe() => Form switch
    {
        GroupForm.Absent => $"{Where} is absent",
        GroupForm.Text => $"{Where} is the text {Shown}",
        GroupForm.List => Values.Count == 0 ? $"{Where} is an empty list" : $"{Where} is a list of {Values.Count}: {Shown}",
        GroupForm.Keys =>
            Values.Count == 0
                ? $"{Where} is an object without names in it"
                : $"{Where} is an object with the {(Values.Count == 1 ? "key" : "keys")} {Shown}",
        GroupForm.Overage =>
            $"{Where} was left out by the provider because there are too many groups (overage); have it send only those of this "
            + $"application, or app roles",
        GroupForm.Unreadable => $"{Where} is {Unreadable}, which has no names in it",
    };

    /// <summary>In an order of its own: the same groups in another order are the same statement.</summary>
    private string Shown =>
        string.Join(
            ", ",
            Values.Order(StringComparer.Ordinal).Take(MostShown).Select(one => $"'{OutsideText.Clean(one, 60)}'"))
                + (Values.Count > MostShown
                ? ", …"
                : "");
}
