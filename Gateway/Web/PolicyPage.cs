using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Web;

/// <summary>Headscale's policy (ACL): to read, and to change without overwriting what somebody else just wrote.</summary>
internal static class PolicyPage
{
    private const string Target = "/api/v1/policy";

    public static void MapPolicy(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/policy", ShowAsync);
        admin.MapPost("/policy", ChangeAsync);
    }

    private static async Task<IResult> ShowAsync(HttpContext context, PageDoor door, PageCalls calls, string? done = null)
    {
        var (who, refusal) = await door.EnterAsync(context);
        if (who is null)
        {
            return refusal!;
        }

        var answer = await calls.SendAsync(context, RequestContext.Of(context), who, "GET", Target);
        return answer.IsDone
            ? Page(context, door, who, TextOf(answer), TextOf(answer), notice: done == "set" ? "The policy was changed." : null)
            : PageDoor.Explain(context, who, answer);
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, PageDoor door, PageCalls calls, UpstreamMonitor upstream)
    {
        var (who, refusal) = await door.EnterAsync(context, isForm: true);
        if (who is null)
        {
            return refusal!;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var (request, wanted) = (RequestContext.Of(context), form["policy"].ToString().ReplaceLineEndings("\n"));
        var body = new JsonObject { ["policy"] = wanted }.ToJsonString();
        if (!calls.Offers(request, who, "PUT", Target, isOwn: false, body))
        {
            return PageDoor.Explain(context, who, await calls.SendAsync(context, request, who, "PUT", Target, body));
        }

        var now = await calls.SendAsync(context, request, who, "GET", Target);
        if (!now.IsDone)
        {
            return PageDoor.Explain(context, who, now);
        }

        if (form["base"] != HashOf(TextOf(now)))
        {
            return Page(context, door, who, TextOf(now), wanted, error: "Somebody changed the policy since you opened it, so nothing was saved. Below is your text; the policy as it is now stands under it.", status: StatusCodes.Status409Conflict);
        }

        if (CheckedHere(request, who, calls, upstream) && await calls.SendAsync(context, request, who, "POST", Target + "/check", body) is { IsDone: false, Decision.IsAllowed: true } check)
        {
            return Page(context, door, who, TextOf(now), wanted, error: $"Headscale does not take this policy, so nothing was saved: {check.Complaint}", status: StatusCodes.Status400BadRequest);
        }

        if (form["step"] != "save")
        {
            return wanted == TextOf(now)
                ? Page(context, door, who, TextOf(now), wanted, notice: "Nothing is different from the policy as it is now.")
                : Page(context, door, who, TextOf(now), wanted, changes: PolicyChange.Between(TextOf(now), wanted));
        }

        var answer = await calls.SendAsync(context, request, who, "PUT", Target, body);
        return answer.IsDone ? Results.Redirect(PageAnswers.BasePath(context) + "/policy?done=set")
            : answer.Decision.IsAllowed ? Page(context, door, who, TextOf(now), wanted, error: $"Headscale refused the policy, so nothing was saved: {answer.Complaint}", status: StatusCodes.Status400BadRequest)
            : PageDoor.Explain(context, who, answer);
    }

    /// <summary>0.29 and later check a policy without setting it.</summary>
    private static bool CheckedHere(RequestContext request, Principal who, PageCalls calls, UpstreamMonitor upstream) =>
        upstream.Status.Version is { Minor: >= 29 } && calls.Offers(request, who, "POST", Target + "/check", isOwn: false, """{"policy":"{}"}""");

    private static RazorComponentResult Page(HttpContext context, PageDoor door, Principal who, string current, string text, string? notice = null, string? error = null, int status = StatusCodes.Status200OK, IReadOnlyList<PolicyChange>? changes = null) =>
        PageAnswers.Page<Pages.PolicyPage>(
            status,
            ("Shell", door.ShellOf(context, who)),
            ("Current", current),
            ("Text", text),
            ("Base", HashOf(current)),
            ("Changes", changes ?? []),
            ("MayWrite", who.Role.Has(Capability.WritePolicy)),
            ("Notice", notice),
            ("Error", error));

    private static string TextOf(PageCall answer)
    {
        using var json = JsonDocument.Parse(answer.Json);
        return json.RootElement.TryGetProperty("policy", out var policy) ? policy.GetString()?.ReplaceLineEndings("\n") ?? "" : "";
    }

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
