using System.Security.Cryptography;
using System.Text;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Layout;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Web.PolicyDocument;

/// <summary>Headscale's policy (ACL): to read, and to change without overwriting what somebody else just wrote.</summary>
internal static class PolicyEndpoints
{
    public static void MapPolicy(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/policy", ShowAsync).RequireCapability(Capability.ReadPolicy).Performs("policy.get");
        admin.MapPost("/policy", ChangeAsync).RequireCapability(Capability.ReadPolicy).TakesForm().Performs("policy.set");
    }

    private static async Task<IResult> ShowAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, string? done = null)
    {
        var answer = await calls.SendAsync(context, principal, Operation.GetPolicy());
        return answer.IsDone
            ? Page(context, layout, principal, TextOf(answer), TextOf(answer), notice: done == "set" ? "The policy was changed." : null)
            : PageResults.Explain(context, principal, answer);
    }

    private static async Task<IResult> ChangeAsync(
        HttpContext context, Principal principal, PageLayout layout, HeadscaleCalls calls, UpstreamMonitor upstream)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var wanted = form["policy"].ToString().ReplaceLineEndings("\n");
        if (!calls.Can(context, principal, "policy.set", Ownership.Foreign))
        {
            return PageResults.Explain(context, principal, await calls.SendAsync(context, principal, Operation.SetPolicy(wanted)));
        }

        var now = await calls.SendAsync(context, principal, Operation.GetPolicy());
        if (!now.IsDone)
        {
            return PageResults.Explain(context, principal, now);
        }

        if (form["base"] != HashOf(TextOf(now)))
        {
            return Page(
                context, layout, principal, TextOf(now), wanted,
                error: "Somebody changed the policy since you opened it, so nothing was saved. Below is your text; the policy as it is "
                    + "now stands under it.",
                status: StatusCodes.Status409Conflict);
        }

        if (CanCheck(context, principal, calls, upstream)
            && await calls.SendAsync(context, principal, Operation.CheckPolicy(wanted)) is var check
            && check is { IsDone: false, Decision.IsAllowed: true })
        {
            return NotTaken("does not take this", check);
        }

        if (form["step"] != "save")
        {
            return wanted == TextOf(now)
                ? Page(context, layout, principal, TextOf(now), wanted, notice: "Nothing is different from the policy as it is now.")
                : Page(context, layout, principal, TextOf(now), wanted, changes: PolicyChange.Between(TextOf(now), wanted));
        }

        var answer = await calls.SendAsync(context, principal, Operation.SetPolicy(wanted));
        return answer.IsDone ? Results.Redirect(PageResults.BasePath(context) + "/policy?done=set")
            : answer.Decision.IsAllowed
                ? NotTaken("refused the", answer)
            : PageResults.Explain(context, principal, answer);

        IResult NotTaken(string how, ApiResponse refusal) => Page(
            context, layout, principal, TextOf(now), wanted,
            error: $"Headscale {how} policy, so nothing was saved: {refusal.Complaint}", status: StatusCodes.Status400BadRequest);
    }

    /// <summary>0.29 and later check a policy without setting it.</summary>
    private static bool CanCheck(HttpContext context, Principal principal, HeadscaleCalls calls, UpstreamMonitor upstream) =>
        upstream.Status.Version is { HasAuthRegister: true } && calls.Can(context, principal, "policy.check", Ownership.Foreign);

    private static RazorComponentResult Page(
        HttpContext context, PageLayout layout, Principal principal, string current, string text, string? notice = null,
        string? error = null, int status = StatusCodes.Status200OK, IReadOnlyList<PolicyChange>? changes = null) =>
        PageResults.Page<PolicyPage>(
            status,
            ("Layout", layout.For(context, principal)),
            ("Current", current),
            ("Text", text),
            ("Base", HashOf(current)),
            ("Changes", changes ?? []),
            ("MayWrite", principal.Role.Has(Capability.WritePolicy)),
            ("Notice", notice),
            ("Error", error));

    private static string TextOf(ApiResponse answer)
    {
        using var json = answer.Parse();
        return json.RootElement.TryGetProperty("policy", out var policy) ? policy.GetString()?.ReplaceLineEndings("\n") ?? "" : "";
    }

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
