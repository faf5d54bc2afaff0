namespace Gateway.Edge;

/// <summary>Header names as servers fold them: case means nothing, and all characters but letters and digits are one.</summary>
internal static class HeaderNames
{
    /// <summary>The folded name.</summary>
    public static string Fold(string name) => string.Create(name.Length, name, (folded, from) =>
    {
        for (var i = 0; i < from.Length; i++)
        {
            folded[i] = Fold(from[i]);
        }
    });

    /// <summary>Whether a name folds to this one.</summary>
    public static bool IsFolded(string name, string folded) => name.Length == folded.Length && BeginsFolded(name, folded);

    /// <summary>Whether a name folds to one of these.</summary>
    public static bool Any(this string[] folded, string name)
    {
        foreach (var one in folded)
        {
            if (IsFolded(name, one))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a name, folded, begins like one of these.</summary>
    public static bool AnyFamily(this string[] families, string name)
    {
        foreach (var family in families)
        {
            if (BeginsFolded(name, family))
            {
                return true;
            }
        }

        return false;
    }

    private static bool BeginsFolded(string name, string folded)
    {
        if (name.Length < folded.Length)
        {
            return false;
        }

        for (var i = 0; i < folded.Length; i++)
        {
            if (Fold(name[i]) != folded[i])
            {
                return false;
            }
        }

        return true;
    }

    private static char Fold(char letter) => char.IsAsciiLetterOrDigit(letter) ? char.ToLowerInvariant(letter) : '-';
}
