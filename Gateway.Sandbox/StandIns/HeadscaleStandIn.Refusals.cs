using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Sandbox.StandIns;

/// <content>Whom it knows, and what it says to the others.</content>
internal sealed partial class HeadscaleStandIn
{
    private async Task<bool> IsAuthorizedAsync(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (header.Length > 0)
        {
            KeyCost?.Pay();
        }

        var key = header.StartsWith("Bearer ", StringComparison.Ordinal) ? header[7..] : "";
        if (Tailnet.ApiKeys.Exists(one => one.Key == (Version >= 28 ? key.Trim() : key)
            && string.CompareOrdinal(one.Expiration, "2026-06") > 0))
        {
            return true;
        }

        // /api/v2 takes OAuth tokens, too, and either as the user name of a Basic login.
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (IsV2(target)
            && (target.StartsWith("/api/v2/oauth/token", StringComparison.Ordinal)
                || header.StartsWith("Bearer hskey-oauthtok-", StringComparison.Ordinal)
                    || header.StartsWith("Basic ", StringComparison.Ordinal)))
        {
            return true;
        }

        if (Version >= 30)
        {
            await FailAsync(context, new(401, IsV2(target) ? "unauthorized" : "Unauthorized"));
        }
        else
        {
            context.Response.StatusCode = Version == 26 && key.Length > 0 && !Tailnet.ApiKeys.Exists(one => one.Key == key) ? 500 : 401;
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync("Unauthorized");
        }

        return false;
    }

    private static string TitleOf(int status) => status == 413 ? "Request Entity Too Large" : ReasonPhrases.GetReasonPhrase(status);

    private static JsonObject OfV2(HttpContext context, StandInFailure failure)
    {
        if (failure.Message == "invalid_client")
        {
            context.Response.ContentType = "application/json";
            return new() { ["error"] = failure.Message, ["error_description"] = "invalid client credentials" };
        }

        var error = new JsonObject { ["message"] = failure.Message, ["status"] = failure.Status };
        if (failure.Cause is { } cause)
        {
            error["data"] = new JsonArray(new JsonObject { ["errors"] = new JsonArray(cause) });
        }

        return error;
    }

    private Task FailAsync(HttpContext context, StandInFailure failure)
    {
        context.Response.StatusCode = failure.Status;
        context.Response.ContentType = Version >= 30 ? "application/problem+json" : "application/json";
        var error = Version < 30
            ? new JsonObject { ["code"] = failure.Code, ["message"] = failure.Message, ["details"] = new JsonArray() }
            : IsV2(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget)
            ? OfV2(context, failure)
            : new JsonObject { ["title"] = TitleOf(failure.Status), ["status"] = failure.Status, ["detail"] = failure.Message };
        if (failure.Cause is { } cause && Version >= 30 && error["title"] is not null)
        {
            error["errors"] = new JsonArray(new JsonObject { ["message"] = cause });
        }

        return context.Response.WriteAsync(error.ToJsonString());
    }
}
