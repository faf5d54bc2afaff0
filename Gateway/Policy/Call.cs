using System.Collections.Frozen;

namespace Gateway.Policy;

/// <summary>One member of an understood body. Exactly one of the four is set.</summary>
internal readonly record struct Argument(string? Text, bool? Flag, IReadOnlyList<string>? List)
{
    public long? Number { get; init; }

    /// <summary>Whether it says more than leaving it out would.</summary>
    public bool SaysSomething => Text is { Length: > 0 } || Flag is true || Number is not (null or 0) || List is { Count: > 0 };
}

/// <summary>A request that was understood completely: what is judged, and all that is sent.</summary>
internal sealed record Call
{
    public required string Method { get; init; }

    public IReadOnlyDictionary<string, string> Path { get; init; } = FrozenDictionary<string, string>.Empty;

    public IReadOnlyDictionary<string, string> Query { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>The headers that the operation takes.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>The body's members; null while it has not been read.</summary>
    public IReadOnlyDictionary<string, Argument>? Body { get; init; }

    /// <summary>Whether the operation takes a body, or the request brought one.</summary>
    public bool ExpectsBody { get; init; }

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
        (Body?.TryGetValue(name, out var argument) is true && argument.SaysSomething)
        || (Query.TryGetValue(name, out var value) && value is not ("" or "false"));
}
