using System.Collections.Frozen;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;

namespace Gateway.Forwarding;

/// <summary>A request as it is put before the judge.</summary>
/// <param name="Table">The policy.</param>
/// <param name="Method">The method token.</param>
/// <param name="Target">The raw target; null when it is not in origin form.</param>
/// <param name="HasBody">Whether a body came along.</param>
/// <param name="Facts">Who asks.</param>
internal sealed record Case(RouteTable Table, string Method, RawTarget? Target, bool HasBody, Facts Facts)
{
    /// <summary>All values of a header.</summary>
    public Func<string, string?[]> Header { get; init; } = _ => [];
}

/// <summary>What was decided, on what.</summary>
internal sealed record Judgement(Decision Decision, Call Call)
{
    /// <summary>The path and query that are sent: written anew from the row and the values it was judged by.</summary>
    public string UpstreamTarget => Decision.Rule!.Path.Write(Call.Path) + QueryText.Write(Call.Query);

    /// <summary>The caller's own nodes, where the filter needs to know them.</summary>
    public IReadOnlySet<string> OwnNodes { get; init; } = FrozenSet<string>.Empty;

    /// <summary>What the body is sent as.</summary>
    public string UpstreamBodyType => Decision.Rule?.Body is { } name ? Bodies.All[name].Form.MediaTypes[0] : BodyForm.Json[0];

    /// <summary>The body that is sent; null for none.</summary>
    public byte[]? UpstreamBody => Decision.Rule?.Body is { } name && Call.Body is { Count: > 0 } members ? BodyText.Write(members, Bodies.All[name]) : null;
}

/// <summary>
/// From a request to a decision. The server and <c>gateway explain</c> both come through here; they differ only in where
/// the body is read from.
/// </summary>
internal sealed class Judge(OwnerLookup owners, GatewayKey gatewayKey)
{
    private const string ApiKeys = "/api/v1/apikey";

    private static readonly BodyModel _emptyObject = new([], Optional: true);

    /// <summary>Decides a case. Body and owner are fetched only when the decision turns on them.</summary>
    /// <param name="readBody">Reads a body of that form, or says why not.</param>
    public async Task<Judgement> DecideAsync(
        Case one, Func<BodyForm, Task<(byte[], (Reason, string)?)>> readBody, Func<ValueTask<HeadscaleVersion>> version, CancellationToken cancel)
    {
        var (row, call) = Understand(one);
        var facts = one.Facts;
        var decision = Decider.Decide(row, call, facts);
        var ownNodes = FrozenSet<string>.Empty as IReadOnlySet<string>;
        try
        {
            if (row is { Since: > 0 and var since } && facts.SignedIn && (await version()).Minor < since)
            {
                return new(new(Reason.NoSuchRoute, row, Detail: $"Headscale has it since 0.{since}"), call);
            }

            if (decision.Reason is Reason.BodyUnread)
            {
                call = await ReadBodyAsync(row!, call, readBody, await version());
                decision = Decider.Decide(row, call, facts);
            }

            if (decision is { Reason: Reason.Allowed, Rule: { } allowed } && await NotInVersionAsync(allowed, call, version) is { } complaint)
            {
                decision = new(Reason.BadQuery, row, Detail: complaint);
            }

            if (decision.Reason is Reason.OwnerUnknown)
            {
                facts = facts with { Owner = await owners.FindAsync(row!.Own!.Scope, call, facts.User!.Id, await version(), cancel) };
                decision = Decider.Decide(row, call, facts);
            }

            if (decision.Reason is Reason.TargetKeyUnknown)
            {
                decision = Decider.Decide(row, call, facts with { Key = await gatewayKey.FindAsync(call, cancel) });
            }

            if (decision is { Reason: Reason.Allowed, View: View.Own, Rule.Filter: Filter.Devices })
            {
                ownNodes = await owners.NodesOfAsync(facts.User!.Id, cancel);
            }
        }
        catch (HeadscaleException e)
        {
            decision = new(e.Reason, row, Detail: e.Message);
        }

        return new(decision, call) { OwnNodes = ownNodes };
    }

    /// <summary>What would be decided where the owner is known already and nothing has to be asked: for pages that offer what may be done.</summary>
    public static Decision Foresee(Case one, byte[] body, HeadscaleVersion version)
    {
        var (row, call) = Understand(one);
        if (row?.Body is { } name && BodyText.Parse(body, Bodies.All[name], version, out _) is { } members)
        {
            call = call with { Body = members };
        }

        return row is { Since: > 0 and var since } && version.Minor < since ? new(Reason.NoSuchRoute, row) : Decider.Decide(row, call, one.Facts);
    }

    /// <summary>Decides a call of somebody who brings a Headscale key. What is not understood is none of our business, unless it concerns our key.</summary>
    public async Task<Judgement> DecideOwnKeyAsync(
        Case one, Func<BodyForm, Task<(byte[], (Reason, string)?)>> readBody, Func<ValueTask<HeadscaleVersion>> version, CancellationToken cancel)
    {
        var (row, call) = Understand(one);
        if (one.Target is not { IsCanonical: true, Path: var path })
        {
            return new(new(Reason.BadRequest, null, Detail: "the path is not canonical"), call);
        }

        var mayMeanKeys = Uri.UnescapeDataString(path).StartsWith(ApiKeys, StringComparison.OrdinalIgnoreCase);
        var decision = Decider.DecideOwnKey(row, call, mayMeanKeys, TargetKey.Unknown);
        try
        {
            if (decision.Reason is Reason.BodyUnread)
            {
                call = await ReadBodyAsync(row!, call, readBody, await version());
                decision = Decider.DecideOwnKey(row, call, mayMeanKeys, TargetKey.Unknown);
            }

            if (decision.Reason is Reason.TargetKeyUnknown)
            {
                decision = Decider.DecideOwnKey(row, call, mayMeanKeys, await gatewayKey.FindAsync(call, cancel));
            }
        }
        catch (HeadscaleException e)
        {
            decision = new(e.Reason, row, Detail: e.Message);
        }

        return new(decision, call);
    }

    /// <summary>Finds the row and reads everything but the body.</summary>
    private static (RouteRule?, Call) Understand(Case one)
    {
        var call = new Call { Method = one.Method };
        if (one.Target is not { } target)
        {
            return (null, call with { Problem = (Reason.BadRequest, "the request target must be a path") });
        }

        if (!RouteFile.Methods.Contains(one.Method))
        {
            // Kestrel keeps "delete" as it is, and HttpClient would send DELETE.
            return (null, call with { Problem = (Reason.BadRequest, "the method is none that the API has; methods are upper case") });
        }

        var (row, values) = one.Table.Find(one.Method, target.Path);
        if (row is null)
        {
            return (null, call);
        }

        call = call with { Path = values };
        if (QueryText.Parse(target.Query, out var complaint) is not { } pairs)
        {
            return (row, call with { Problem = (Reason.BadQuery, complaint) });
        }

        var query = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in pairs)
        {
            if (!row.Query.TryGetValue(name, out var type))
            {
                return (row, call with { Problem = (Reason.BadQuery, $"this operation takes {(row.Query.Count == 0 ? "no query" : $"only {string.Join(", ", row.Query.Keys.Order())}")}") });
            }

            if (type.Read(value) is null)
            {
                return (row, call with { Problem = (Reason.BadQuery, $"'{name}' is not a valid {SnakeCase.From(type.ToString())}") });
            }

            query[name] = value;
        }

        if (row.Body is null && one.HasBody && one.Method is not "POST")
        {
            return (row, call with { Problem = (Reason.BadBody, $"{one.Method} takes no body here") });
        }

        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, type) in row.Headers)
        {
            switch (one.Header(name))
            {
                case []:
                    break;
                case [var value] when type.Read(value) is { } text:
                    headers[name] = text;
                    break;
                case var _ when type is ParameterType.PolicyFormat:
                    // Many formats, or others: the answer then comes as JSON.
                    break;
                default:
                    return (row, call with { Problem = (Reason.BadRequest, $"the header {name} is not understood") });
            }
        }

        return (row, call with { Query = query.ToFrozenDictionary(StringComparer.Ordinal), Headers = headers, ExpectsBody = row.Body is not null || one.HasBody });
    }

    /// <summary>Operations without a body still take the empty object that many HTTP clients send along; it is not passed on.</summary>
    private static async Task<Call> ReadBodyAsync(RouteRule row, Call call, Func<BodyForm, Task<(byte[], (Reason, string)?)>> readBody, HeadscaleVersion version)
    {
        var model = row.Body is null ? _emptyObject : Bodies.All[row.Body];
        var (bytes, problem) = await readBody(model.Form);
        if (problem is not null)
        {
            return call with { Problem = problem };
        }

        return BodyText.Parse(bytes, model, version, out var complaint) is { } members
            ? call with { Body = members }
            : call with { Problem = (Reason.BadBody, complaint) };
    }

    /// <summary>Headscale 0.26 takes no expiry, 0.30 takes it in the body: a query it ignores would do something else than asked.</summary>
    private static async Task<string?> NotInVersionAsync(RouteRule row, Call call, Func<ValueTask<HeadscaleVersion>> version)
    {
        if (call.Query.Count == 0 || row.Body != "expire_node")
        {
            return null;
        }

        var minor = (await version()).Minor;
        return call.Query.Keys.FirstOrDefault(name => name == "expiry" ? minor is < 27 or > 29 : minor is not 29) is { } wrong
            ? $"Headscale 0.{minor} does not take '{wrong}' in the query{(minor >= 30 ? "; send it in a JSON body" : "")}"
            : null;
    }
}
