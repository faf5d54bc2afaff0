using Gateway.Users;

namespace Gateway.Web.Home;

/// <summary>Names that Headscale takes for its users.</summary>
internal static class UserNames
{
    /// <summary>What is before the at sign, or the person's name, as far as Headscale takes it (its util.ValidateUsername).</summary>
    public static string ProposalFor(Person person)
    {
        var text = (person.Email?.Split('@')[0] ?? person.Name ?? person.Subject).ToLowerInvariant().Replace(' ', '-');
        var kept = string.Concat(text.Where(one => char.IsAsciiLetterOrDigit(one) || one is '-' or '.' or '_')).Trim('-', '.', '_');
        return kept.Length > 0 && char.IsAsciiLetter(kept[0]) ? kept[..Math.Min(kept.Length, 63)] : "me";
    }
}
