using System.Globalization;
using System.Text;

namespace Gateway.Settings;

/// <summary>Text that somebody else wrote: what may name a person, and what may be shown in a log or a terminal.</summary>
internal static class OutsideText
{
    /// <summary>The longest text of a log line's part, in characters.</summary>
    public const int LongestShown = 300;

    /// <summary>The longest name that a source of identities gives somebody, in characters (OpenID Connect Core 2, <c>sub</c>).</summary>
    public const int LongestSubject = 255;

    /// <summary>Default_Ignorable_Code_Point of Unicode as far as no category tells them, and U+2800, which shows nothing either.</summary>
    private static readonly (int From, int To)[] _invisible =
    [
        (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF),
    ];

    /// <summary>
    /// Why a text cannot name somebody; null when it can. Nothing is trimmed or folded: a text that looks like another one
    /// without being it is refused, so that two people never look like one.
    /// </summary>
    /// <param name="text">The name.</param>
    /// <param name="longest">In characters.</param>
    public static string? Complaint(string text, int longest)
    {
        if (text.Length == 0 || text.Length > longest)
        {
            return text.Length == 0 ? "is empty" : $"is longer than {longest} characters";
        }

        if (text[0] == ' ' || text[^1] == ' ')
        {
            return "begins or ends with a blank";
        }

        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return null;
        }

        foreach (var rune in text.EnumerateRunes())
        {
            if (!IsVisible(rune))
            {
                return $"has the character U+{rune.Value:X4}, which cannot be seen";
            }
        }

        return null;
    }

    /// <summary>The text as a log or a terminal may show it: what would not be seen, or would steer a terminal, becomes U+FFFD.</summary>
    public static string Clean(string text, int longest = LongestShown)
    {
        if (text.Length <= longest && !text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return text;
        }

        var clean = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (clean.Length >= longest)
            {
                return clean.Append('…').ToString();
            }

            clean.Append(IsVisible(rune) ? rune.ToString() : Rune.ReplacementChar.ToString());
        }

        return clean.ToString();
    }

    /// <summary>Letters of any script, but nothing invisible: no controls, no formatting characters, no blanks other than space.</summary>
    private static bool IsVisible(Rune rune) => rune == new Rune(' ') || (rune != Rune.ReplacementChar
        && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.SpaceSeparator
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned)
        && !IsInvisible(rune.Value));

    private static bool IsInvisible(int value)
    {
        foreach (var (from, to) in _invisible)
        {
            if (value >= from && value <= to)
            {
                return true;
            }
        }

        return false;
    }
}
