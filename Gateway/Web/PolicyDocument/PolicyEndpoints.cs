using System.Security.Cryptography;
using System.Text;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Layout;
using Microsoft.AspNetCore.Http.HttpResults;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.PolicyDocument;

/// <summary>Headscale's policy (ACL): to read, and to change without overwriting what somebody else just wrote.</summary>
internal static class PolicyEndpoints
{
    private static string ChangedMeanwhile => T(
        "Somebody changed the policy since you opened it, so nothing was saved. Below is your text; the policy as it is now stands under "
        + "it.");

    /// <summary>What Headscale does without a policy, as a policy.</summary>
    private const string FirstPolicy =
        "{\n  // Every device reaches every other one. Take this out once your own rules stand here.\n"
        + "  \"acls\": [{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [\"*:*\"]}],\n}\n";

    public static void MapPolicy(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/policy", ShowAsync).RequireCapability(Capability.ReadPolicy).Performs("policy.get");
        admin.MapPost("/policy", ChangeAsync).RequireCapability(Capability.ReadPolicy).TakesForm().Performs("policy.set")
            .WithMetadata(BodyLimit.Document);
    }

    private static async Task<IResult> ShowAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, UserDirectory directory, string? done = null,
        string? who = null)
    {
        var answer = await calls.SendAsync(context, principal, Operation.GetPolicy());
        return answer.IsDone
            ? Page(
                context, layout, principal, TextOf(answer), TextOf(answer), notice: done == "set" ? T("The policy was changed.") : null,
                answers: await PolicyAnswers.ReadAsync(context, principal, calls, directory, TextOf(answer), who?.Trim() ?? ""))
            : IsMissing(answer)
                ? Page(
                    context, layout, principal, "", FirstPolicy,
                    notice: T(
                        "There is no policy yet: every device reaches every other one. Below is one that says just that, to begin."))
            : PageResults.Explain(context, principal, answer);
    }

    private static async Task<IResult> ChangeAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, UpstreamMonitor upstream,
        UserDirectory directory)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var wanted = form["policy"].ToString().ReplaceLineEndings("\n");
        if (!calls.Can(context, principal, "policy.set", Ownership.Foreign))
        {
            return PageResults.Explain(context, principal, await calls.SendAsync(context, principal, Operation.SetPolicy(wanted)));
        }

        var now = await calls.SendAsync(context, principal, Operation.GetPolicy());
        if (!now.IsDone && !IsMissing(now))
        {
            return PageResults.Explain(context, principal, now);
        }

        if (form["base"] != HashOf(TextOf(now)))
        {
            return Page(context, layout, principal, TextOf(now), wanted, error: ChangedMeanwhile, status: StatusCodes.Status409Conflict);
        }

        if (PolicyText.ComplaintAbout(wanted) is { } complaint)
        {
            return Refused(T("This is not HuJSON, so nothing was saved. {0}", complaint));
        }

        if (await CheckAsync(context, principal, calls, upstream, wanted) is { } check)
        {
            return Refused(T("Headscale does not take this policy, so nothing was saved: {0}", check.Complaint));
        }

        if (form["step"] != "save")
        {
            return wanted == TextOf(now)
                ? Page(context, layout, principal, wanted, wanted, notice: T("Nothing is different from the policy as it is now."))
                : Review(
                    context, layout, principal, TextOf(now), wanted,
                    await Tailnet.ReadAsync(context, principal, calls, directory, withNodes: true));
        }

        var answer = await calls.SendAsync(context, principal, Operation.SetPolicy(wanted));
        return answer.IsDone ? Results.Redirect(PageResults.BasePath(context) + "/policy?done=set")
            : answer.Decision.IsAllowed
                ? Refused(T("Headscale refused the policy, so nothing was saved: {0}", answer.Complaint))
            : PageResults.Explain(context, principal, answer);

        IResult Refused(string error) =>
            Page(context, layout, principal, TextOf(now), wanted, error: error, status: StatusCodes.Status400BadRequest);
    }

    /// <summary>What would change, in the text and in who reaches what.</summary>
    private static RazorComponentResult Review(
        HttpContext context, PageLayout layout, Principal principal, string current, string wanted, Tailnet? tailnet) =>
        Page(
            context, layout, principal, current, wanted, changes: PolicyChange.Between(current, wanted),
            reach: tailnet is null ? null : PolicyAnswers.Changes(current, wanted, tailnet));

    /// <summary>A new database has no policy, which Headscale of every version says as an error of its own (500).</summary>
    private static bool IsMissing(ApiResponse answer) =>
        answer is { Decision.IsAllowed: true, Status: 500 }
        && answer.Complaint?.Contains("acl policy not found", StringComparison.Ordinal) is true;

    /// <summary>What Headscale says against a policy before it is set; null for nothing, and where it cannot be asked.</summary>
    private static async Task<ApiResponse?> CheckAsync(
        HttpContext context, Principal principal, HeadscaleCalls calls, UpstreamMonitor upstream, string wanted) =>
        CanCheck(context, principal, calls, upstream)
        && await calls.SendAsync(context, principal, Operation.CheckPolicy(wanted)) is var check
        && check is { IsDone: false, Decision.IsAllowed: true }
            ? check
            : null;

    /// <summary>0.29 and later check a policy without setting it.</summary>
    private static bool CanCheck(HttpContext context, Principal principal, HeadscaleCalls calls, UpstreamMonitor upstream) =>
        upstream.Status.Version is { HasAuthRegister: true } && calls.Can(context, principal, "policy.check", Ownership.Foreign);

    private static RazorComponentResult Page(
        HttpContext context, PageLayout layout, Principal principal, string current, string text, string? notice = null,
        string? error = null, int status = StatusCodes.Status200OK, IReadOnlyList<PolicyChange>? changes = null,
        PolicyAnswers? answers = null, IReadOnlyList<ReachChangeRow>? reach = null) =>
        PageResults.Page<PolicyPage>(
            status,
            ("Layout", layout.For(context, principal)),
            ("Current", current),
            ("Text", text),
            ("Base", HashOf(current)),
            ("Changes", changes ?? []),
            ("Answers", answers),
            ("Reach", reach),
            ("MayWrite", principal.Role.Has(Capability.WritePolicy)),
            ("Notice", notice),
            ("Error", error));

    private static string TextOf(ApiResponse answer)
    {
        if (!answer.IsDone)
        {
            return "";
        }

        using var json = answer.Parse();
        return json.RootElement.TryGetProperty("policy", out var policy) ? policy.GetString()?.ReplaceLineEndings("\n") ?? "" : "";
    }

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
