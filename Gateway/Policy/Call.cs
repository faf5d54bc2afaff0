using System.Collections.Frozen;

namespace Gateway.Policy;

/// <summary>One member of an understood body. Exactly one of the four is set.</summary>
internal readonly record struct Argument(string? Text, bool? Flag, IReadOnlyList<string>? List)
{
    /// <summary>A text, an id or a time.</summary>
    public static Argument Of(string text) => new(text, null, null);

    public static Argument Of(bool flag) => new(null, flag, null);

    public static Argument Of(IReadOnlyList<string> list) => new(null, null, list);

    public long? Number { get; init; }

    /// <summary>Whether the value differs from what leaving it out means.</summary>
    public bool HasEffect => Text is { Length: > 0 } || Flag is true || Number is not (null or 0) || List is { Count: > 0 };
}

/// <summary>A request that was understood completely: what is judged, and all that is sent.</summary>
internal sealed record Call
{
    /// <summary>No arguments.</summary>
    public static IReadOnlyDictionary<string, string> None { get; } = FrozenDictionary<string, string>.Empty;

    /// <summary>No members of a body.</summary>
    public static IReadOnlyDictionary<string, Argument> NoMembers { get; } = FrozenDictionary<string, Argument>.Empty;

    public required string Method { get; init; }

    public IReadOnlyDictionary<string, string> Path { get; init; } = None;

    public IReadOnlyDictionary<string, string> Query { get; init; } = None;

    /// <summary>The headers that the operation takes.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = None;

    /// <summary>The body's members; null while it has not been read.</summary>
    public IReadOnlyDictionary<string, Argument>? Body { get; init; }

    /// <summary>Whether the operation takes a body, or the request brought one.</summary>
    public bool ExpectsBody { get; init; }

    /// <summary>Whether the query means different things in different versions of Headscale, and was read without knowing which.</summary>
    public bool NeedsVersion { get; init; }

    /// <summary>Whether no call was made yet: a page asks what would be allowed.</summary>
    public bool IsSupposed { get; init; }

    /// <summary>Set when the request could not be understood; the call is then refused with it.</summary>
    public (Reason Reason, string Detail)? Problem { get; init; }

    /// <summary>RFC 9110 9.2.1: methods that change nothing.</summary>
    public bool IsSafe => Method is "GET" or "HEAD";

    /// <summary>The text of an argument, wherever the operation takes it from.</summary>
    public string? Text(string name) =>
        Body?.TryGetValue(name, out var argument) is true ? argument.Text : Query.GetValueOrDefault(name);

    /// <summary>Whether an argument is given, or, written <c>name=value</c>, has that value.</summary>
    public bool Sets(string name) => name.Split('=') is [var argument, var value] ? Text(argument) == value : IsGiven(name);

    private bool IsGiven(string name) =>
        (Body?.TryGetValue(name, out var argument) is true && argument.HasEffect)
        || (Query.TryGetValue(name, out var value) && value is not ("" or "false"));
}
