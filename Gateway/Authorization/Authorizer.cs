using System.Collections.Frozen;
using Gateway.Headscale;
using Gateway.Policy;

namespace Gateway.Authorization;

/// <summary>
/// From a call to a decision: while the evaluator lacks a fact, the fact is fetched. The API, the pages and <c>gateway explain</c>
/// all come through here.
/// </summary>
/// <param name="owners">Says whose a thing is.</param>
/// <param name="gatewayKey">Says whether an API key is the gateway's own.</param>
/// <param name="version">Says which version Headscale has.</param>
internal sealed class Authorizer(OwnerLookup owners, GatewayKey gatewayKey, Func<CancellationToken, ValueTask<HeadscaleVersion>> version)
{
    /// <summary>More facts than there are kinds of them are never needed.</summary>
    private const int MostFacts = 8;

    /// <summary>Decides a call.</summary>
    public async ValueTask<AuthorizationResult> AuthorizeAsync(AuthorizationRequest request, CancellationToken cancel)
    {
        var (source, facts) = (request.Source, request.Facts);
        facts = facts with { MayMeanApiKeys = facts.HasOwnKey && source.MayMeanApiKeys, Version = request.Version?.Minor };
        var call = source.Read(request.Version);
        IReadOnlySet<string> ownNodes = FrozenSet<string>.Empty;
        var decision = PolicyEvaluator.Evaluate(source.Rule, call, facts);
        try
        {
            for (var fetched = 0; fetched < MostFacts; fetched++)
            {
                switch (decision.Reason.Missing)
                {
                    case MissingFact.None:
                        return new(decision, call) { OwnNodes = ownNodes, Facts = facts };
                    case MissingFact.Version:
                        var found = await VersionAsync();
                        facts = facts with { Version = found.Minor };
                        call = source.Read(found);
                        break;
                    case MissingFact.Body:
                        call = await source.ReadBodyAsync(call, await VersionAsync());
                        break;
                    case MissingFact.Owner:
                        var owner = await owners.FindAsync(source.Rule!.Own!.Scope, call, facts.User!.Id, await VersionAsync(), cancel);
                        facts = facts with { Owner = owner };
                        break;
                    case MissingFact.TargetKey:
                        facts = facts with { Key = await gatewayKey.FindAsync(call, cancel) };
                        break;
                    case MissingFact.OwnNodes:
                        ownNodes = await owners.NodesOfAsync(facts.User!.Id, cancel);
                        facts = facts with { KnowsOwnNodes = true };
                        break;
                }

                decision = PolicyEvaluator.Evaluate(source.Rule, call, facts);
            }
        }
        catch (HeadscaleException e)
        {
            decision = new(e.Reason, source.Rule, Detail: e.Message);
        }

        return new(decision, call) { OwnNodes = ownNodes, Facts = facts };

        ValueTask<HeadscaleVersion> VersionAsync() => request.Version is { } known ? new(known) : version(cancel);
    }

    /// <summary>What can be said of a call without asking anybody: for explaining what would be decided.</summary>
    public static Decision Preview(AuthorizationRequest request, HeadscaleVersion version) =>
        PolicyEvaluator.Evaluate(
            request.Source.Rule, request.Source.Read(version), request.Facts with { Version = version.Minor, KnowsOwnNodes = true });

    /// <summary>Whether somebody may do something: for pages that offer only what is allowed.</summary>
    /// <param name="table">The policy.</param>
    /// <param name="rule">The id of the rule.</param>
    /// <param name="role">The role that would ask.</param>
    /// <param name="user">The Headscale user that would ask.</param>
    /// <param name="ownership">Whose the thing is supposed to be.</param>
    /// <param name="version">The version of Headscale.</param>
    /// <param name="sets">The arguments that would be set.</param>
    public static bool Can(
        RouteTable table, string rule, Role role, LinkedUser? user, Ownership ownership, HeadscaleVersion version,
            params ReadOnlySpan<string> sets)
    {
        var body = new Dictionary<string, Argument>(StringComparer.Ordinal);
        foreach (var argument in sets)
        {
            body[argument] = Argument.Of(true);
        }

        if (table.Rule(rule) is not { } known)
        {
            return false;
        }

        var call = new Call { Method = known.Methods.First(), Body = body, IsSupposed = true };
        var facts = new Facts(true, role, user, false, ownership, TargetKey.Other) { Version = version.Minor, KnowsOwnNodes = true };
        return PolicyEvaluator.Evaluate(known, call, facts).IsAllowed;
    }
}
