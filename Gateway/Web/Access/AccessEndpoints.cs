using System.Text.Json.Serialization;
using Gateway.Authorization;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Layout;
using Microsoft.AspNetCore.Http.HttpResults;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Access;

/// <summary>One row of the policy as people read it.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Operation">Methods and path.</param>
/// <param name="PerRole">all, own or nothing, in the order of the roles.</param>
public sealed record AccessRow(string Id, string Operation, IReadOnlyList<string> PerRole)
{
    /// <summary>What it is in everyday words.</summary>
    [JsonIgnore]
    public string Task => TaskNames.Of(Id);
}

/// <summary>What would be decided about a call.</summary>
/// <param name="Whose">On what the call would be.</param>
/// <param name="IsAllowed">Whether it would go on.</param>
/// <param name="Text">Why, in words.</param>
public sealed record Explained(string Whose, bool IsAllowed, string Text)
{
    /// <summary>Every condition, and whether it holds.</summary>
    public IReadOnlyList<RuleCheck> Checks { get; init; } = [];
}

/// <summary><c>/api/access</c>.</summary>
internal sealed record AccessAnswer(IReadOnlyList<string> Roles, IReadOnlyList<AccessRow> Rows);

/// <summary><c>/api/access/explain</c>.</summary>
internal sealed record ExplainAnswer(IReadOnlyList<Explained> Answers);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AccessAnswer))]
[JsonSerializable(typeof(ExplainAnswer))]
internal sealed partial class AccessJson : JsonSerializerContext;

/// <summary>The policy as a matrix, and a form that asks the decider itself.</summary>
internal static class AccessEndpoints
{
    public static void MapAccess(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/access", Show).RequireCapability(Capability.UiAccess);
        admin.MapGet("/api/access", AnswerAsync).RequireCapability(Capability.UiAccess).TakesTokens();
        admin.MapGet("/api/access/explain", ExplainAsync).RequireCapability(Capability.UiAccess).TakesTokens();
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        var table = RequestContext.Of(context).Configuration.Table;
        await context.Response.WriteAsJsonAsync(
            new AccessAnswer([.. table.Roles.Select(role => role.Name)], RowsOf(table)), AccessJson.Default.AccessAnswer);
    }

    private static async Task ExplainAsync(
        HttpContext context, Principal principal, UpstreamMonitor upstream, string method, string path, string? role = null)
    {
        var table = RequestContext.Of(context).Configuration.Table;
        var answers = Explain(table, method, path, AskedAbout(table, principal, role), upstream.Assumed, one => one);
        await context.Response.WriteAsJsonAsync(new ExplainAnswer(answers), AccessJson.Default.ExplainAnswer);
    }

    /// <summary>A role by its name; else whoever asks, as they are.</summary>
    private static Facts AskedAbout(RouteTable table, Principal principal, string? role) =>
        role is null ? principal.Facts(isCrossSite: false) : new(true, table.RoleNamed(role), null, false, Ownership.Unknown);

    private static AccessRow[] RowsOf(RouteTable table) =>
        [.. table.Rules.Where(one => one.Plane is Plane.Api)
            .Select(row => new AccessRow(row.Id, $"{string.Join('|', row.Methods)} {row.Path.Text}",
                [.. table.Roles.Select(one => MayOf(one, row))]))];

    private static RazorComponentResult Show(
        HttpContext context, Principal principal, PageLayout layout, UpstreamMonitor upstream, string? method = null, string? path = null,
        string? role = null)
    {
        var table = RequestContext.Of(context).Configuration.Table;
        var version = upstream.Assumed;
        return PageResults.Page<AccessPage>(
            StatusCodes.Status200OK,
            ("Layout", layout.For(context, principal)),
            ("Roles", table.Roles.Select(one => one.Name).ToArray()),
            ("Rows", RowsOf(table)),
            ("Method", method ?? "GET"),
            ("Path", path ?? ""),
            ("Role", role ?? principal.Role.Name),
            ("Answers", path is { Length: > 0 }
                ? Explain(table, method ?? "GET", path, AskedAbout(table, principal, role), version, T).Select(OfAnybody).ToArray() : []));
    }

    /// <summary>As the page says it, which asks about a role and not about the reader.</summary>
    private static Explained OfAnybody(Explained one) => one with
    {
        Whose = one.Whose switch
        {
            "own" => T("Their own"),
            "anything" => T("Anything"),
            _ => T("Someone else's"),
        },
        Text = one.Text.Replace("your role", "the role", StringComparison.Ordinal),
    };

    private static string MayOf(Role role, RouteRule row) =>
        role.Has(row.Capability) ? "all" : row.Own is { } own && role.Has(own.Capability) ? "own" : "–";

    private static Explained[] Explain(
        RouteTable table, string method, string path, Facts about, HeadscaleVersion version, Func<string, string> translate)
    {
        Explained[] answers =
        [
            .. new[] { ("own", Ownership.Own), ("somebody else's", Ownership.Foreign) }.Select(one =>
            {
                var facts = about with { User = new LinkedUser("0", "", false), Owner = one.Item2, Key = TargetKey.Other };
                var target = RawTarget.Parse(path);
                var rule = table.Find(method, target?.Path ?? "");
                var call = new WireCall(method, target, rule, new HeaderDictionary(), new GivenBody([]));
                var decision = Authorizer.Preview(new(call, facts), version);
                var text = decision.Reason is Reason.BodyUnread
                    ? translate(Noop("it depends on the body; 'gateway explain' with --body says it exactly"))
                    : Refusals.TextOf(new(decision.Reason, about.Role.Name, decision.Lacks, decision.Detail), translate);
                return new Explained(one.Item1, decision.IsAllowed, text)
                {
                    Checks = rule.Rule is { Plane: Plane.Api } row
                        ? RuleChecks.Of(row, call.Read(version), facts with { Version = version.Minor, KnowsOwnNodes = true }) : [],
                };
            }),
        ];
        return (answers[0].IsAllowed, answers[0].Text) == (answers[1].IsAllowed, answers[1].Text)
            ? [answers[0] with { Whose = "anything" }] : answers;
    }
}
