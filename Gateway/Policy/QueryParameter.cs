namespace Gateway.Policy;

/// <summary>What becomes of a query parameter.</summary>
internal enum ParameterFate
{
    Refused = 0,

    /// <summary>Headscale ignores it, and so it is left out.</summary>
    Dropped,

    /// <summary>It is read, judged and sent.</summary>
    Read,
}

/// <summary>A parameter of an operation's query.</summary>
/// <param name="Type">What it may hold.</param>
/// <param name="Since">First minor version of Headscale that reads it.</param>
/// <param name="Until">Last minor version that reads it.</param>
/// <param name="IsIgnoredOtherwise">Whether other versions ignore it without doing something else than what was asked.</param>
internal sealed record QueryParameter(ParameterType Type, int Since = 0, int Until = int.MaxValue, bool IsIgnoredOtherwise = false)
{
    /// <summary>Up to this version, grpc-gateway takes the name of the field in the .proto file too, such as disable_expiry.</summary>
    private const int LastWithProtoNames = 29;

    public bool DependsOnVersion => Since > 0 || Until < int.MaxValue;

    /// <summary>What becomes of it in a version.</summary>
    /// <param name="isAlias">Whether it was written by its .proto name.</param>
    public ParameterFate FateIn(int minor, bool isAlias) =>
        isAlias && minor > LastWithProtoNames ? ParameterFate.Refused
        : minor >= Since && minor <= Until || !DependsOnVersion ? ParameterFate.Read
        : IsIgnoredOtherwise ? ParameterFate.Dropped
        : ParameterFate.Refused;

    /// <summary>The parameter that a name of a query means, by its own name or its .proto name.</summary>
    public static (string Name, QueryParameter Parameter)? Find(IReadOnlyDictionary<string, QueryParameter> parameters, string written)
    {
        if (parameters.TryGetValue(written, out var exact))
        {
            return (written, exact);
        }

        foreach (var (name, parameter) in parameters)
        {
            if (SnakeCase.From(name) == written)
            {
                return (name, parameter);
            }
        }

        return null;
    }
}
