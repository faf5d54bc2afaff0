namespace Gateway.Policy;

/// <summary>Sentences with values in them: as they stand for programs and the audit, and translated by pages.</summary>
internal static class Sentences
{
    /// <summary>Marks a sentence that pages translate.</summary>
    public static FormattableString Said(FormattableString sentence) => sentence;

    /// <summary>The sentence for programs, the audit and the log.</summary>
    public static string English(this FormattableString sentence) => FormattableString.Invariant(sentence);
}
