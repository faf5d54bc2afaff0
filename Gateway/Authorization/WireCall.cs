using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Authorization;

/// <summary>A call as it came over the wire, or as <c>gateway explain</c> was told it.</summary>
/// <param name="method">The method token.</param>
/// <param name="target">The raw target; null when it is not in origin form.</param>
/// <param name="match">The rule that the path and method match, with the values in the path.</param>
/// <param name="headers">The request's headers.</param>
/// <param name="body">The request's body.</param>
internal sealed class WireCall(
    string method, RawTarget? target, RouteMatch match, IHeaderDictionary headers, IRequestBody body) : ICallSource
{
    private const int LongestName = 32;

    private static readonly BodyModel _emptyObject = new([], Optional: true);

    /// <summary>Whether Headscale judges the call by a key of the caller: then only what concerns the gateway's key is read.</summary>
    public bool HasOwnKey { get; init; }

    public RouteRule? Rule => match.Rule;

    public bool MayMeanApiKeys => target is { Path: var path } && ApiKeyFormat.MayBeMeantBy(path);

    public Call Read(HeadscaleVersion? version)
    {
        var call = new Call { Method = method, Path = match.Values };
        if (target is not { } wanted)
        {
            return Refused(call, Reason.BadRequest, "the request target must be a path");
        }

        if (!wanted.IsCanonical)
        {
            return Refused(call, Reason.NoSuchRoute, "the policy has no such operation: the path is not canonical");
        }

        // Kestrel keeps "delete" as it is, and HttpClient would send DELETE. Without a rule, such a method reaches no API key.
        if (HasOwnKey ? method is "CONNECT" or "TRACE" : !RouteRule.AllMethods.Contains(method))
        {
            return Refused(call, Reason.BadRequest, "the method is none that the API has; methods are upper case");
        }

        return Rule is { } rule ? ReadArguments(rule, call, wanted, version) : call;
    }

    /// <summary>Operations without a body still take the empty object that many HTTP clients send along; it is not passed on.</summary>
    public async ValueTask<Call> ReadBodyAsync(Call call, HeadscaleVersion version)
    {
        var model = Rule?.Body is { } name ? Bodies.All[name] : _emptyObject;
        var read = await body.ReadAsync(model.Form);
        if (read.Problem is { } problem)
        {
            return call with { Problem = problem };
        }

        return BodyText.Parse(read.Bytes, model, version, out var complaint) is { } members
            ? call with { Body = members }
            : call with { Problem = (Reason.BadBody, complaint) };
    }

    private Call ReadArguments(RouteRule rule, Call call, RawTarget wanted, HeadscaleVersion? version)
    {
        call = ReadQuery(rule, call, wanted, version);
        if (call.Problem is not null)
        {
            return call;
        }

        if (rule.Body is null && body.IsThere && method is not "POST")
        {
            return Refused(call, Reason.BadBody, $"{method} takes no body here");
        }

        call = call with { ExpectsBody = rule.Body is not null || body.IsThere };
        return rule.Headers.Count == 0 || HasOwnKey ? call : ReadHeaders(rule, call);
    }

    private static Call ReadQuery(RouteRule rule, Call call, RawTarget wanted, HeadscaleVersion? version)
    {
        if (wanted.Query.Length == 0)
        {
            return call;
        }

        if (QueryText.Parse(wanted.Query, out var complaint) is not { } pairs)
        {
            return Refused(call, Reason.BadQuery, complaint);
        }

        var query = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (written, value) in pairs)
        {
            if (QueryParameter.Find(rule.Query, written) is not var (name, parameter))
            {
                return Refused(call, Reason.BadQuery, Unknown(written, rule));
            }

            if (version is not { } known && (parameter.DependsOnVersion || name != written))
            {
                return call with { NeedsVersion = true };
            }

            switch (parameter.FateIn(version?.Minor ?? 0, isAlias: name != written))
            {
                case ParameterFate.Refused when name != written:
                    return Refused(call, Reason.BadQuery, Unknown(written, rule));
                case ParameterFate.Refused:
                    return Refused(call, Reason.BadQuery, NotInVersion(name, version!.Value));
                case ParameterFate.Dropped:
                    continue;
                case ParameterFate.Read when parameter.Type.Read(value) is null:
                    return Refused(call, Reason.BadQuery, $"'{name}' is not a valid {SnakeCase.From(parameter.Type.ToString())}");
                case ParameterFate.Read when !query.TryAdd(name, value):
                    return Refused(call, Reason.BadQuery, $"the query has '{name}' twice");
            }
        }

        return call with { Query = query };
    }

    /// <summary>A name is repeated where it is no key that somebody pasted.</summary>
    private static string Unknown(string name, RouteRule rule) =>
        (name.Length <= LongestName
            && !name.StartsWith("hskey", StringComparison.OrdinalIgnoreCase) ? $"'{OutsideText.Clean(name, LongestName)}'" : "that")
        + " is not a parameter of this operation; it takes "
        + (rule.Query.Count == 0 ? "no query" : $"only {string.Join(", ", rule.Query.Keys.Order())}");

    /// <summary>A query that Headscale ignores would do something else than what was asked.</summary>
    private static string NotInVersion(string name, HeadscaleVersion version) =>
        $"Headscale {version} does not take '{name}' in the query{(version.Minor >= 30 ? "; send it in a JSON body" : "")}";

    private Call ReadHeaders(RouteRule rule, Call call)
    {
        var read = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, type) in rule.Headers)
        {
            switch (headers[name].ToArray())
            {
                case []:
                    break;
                case [var value] when type.Read(value) is { } text:
                    read[name] = text;
                    break;
                case var _ when type is ParameterType.PolicyFormat:
                    // Many formats, or others: the answer then comes as JSON.
                    break;
                default:
                    return Refused(call, Reason.BadRequest, $"the header {name} is not understood");
            }
        }

        return call with { Headers = read };
    }

    private static Call Refused(Call call, Reason reason, string detail) => call with { Problem = (reason, detail) };
}
