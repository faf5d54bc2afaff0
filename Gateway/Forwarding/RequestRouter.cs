using Gateway.Edge;
using Gateway.Policy;

namespace Gateway.Forwarding;

/// <summary>Where everything goes that is not a page of the gateway: to the client plane, to the API, or nowhere.</summary>
internal sealed class RequestRouter(ClientPlane clientPlane, ApiPipeline api, GrpcDoor grpc, Arrivals arrivals)
{
    /// <summary>
    /// Answers a request. The rule is looked up once, in the raw path: ASP.NET folds case and decodes where rules do not.
    /// </summary>
    public Task RouteAsync(HttpContext context)
    {
        var request = RequestContext.Of(context);
        var (table, method, path) = (request.Configuration.Table, context.Request.Method, request.Target?.Path ?? "");
        var match = table.Find(method, path);
        if (match.Rule is { Plane: Plane.Client } rule)
        {
            return clientPlane.ForwardAsync(context, rule);
        }

        if (context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase))
        {
            return api.RunAsync(context, match);
        }

        if (path == CaptivePortal.Path && HttpMethods.IsGet(method))
        {
            arrivals.Note(context, request);
            CaptivePortal.Answer(context);
            return Task.CompletedTask;
        }

        if (path == "/" && HttpMethods.IsGet(method)
            && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal))
        {
            // Somebody typed the host's name.
            context.Response.Redirect(request.Configuration.Settings.Server.BasePath + "/");
            return Task.CompletedTask;
        }

        if (GrpcDoor.IsCall(context))
        {
            return grpc.RunAsync(context);
        }

        context.Response.StatusCode = table.HasClientPath(path) ? StatusCodes.Status405MethodNotAllowed : StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
