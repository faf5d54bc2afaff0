using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Layout;

/// <summary>What a page answers that needs Headscale or the store where one of them is not there.</summary>
internal static partial class PageErrors
{
    /// <summary>Middleware.</summary>
    public static RequestDelegate Catch(RequestDelegate next, ILogger log) => async context =>
    {
        try
        {
            await next(context);
        }
        catch (HeadscaleException e) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, new(e.Reason, Detail: e.Message));
        }
        catch (StoreException e) when (!context.Response.HasStarted)
        {
            LogStore(log, context.TraceIdentifier, e.Message);
            await AnswerAsync(context, new(Reason.StoreUnavailable));
        }
    };

    private static Task AnswerAsync(HttpContext context, Refusal refusal) => PageResults.IsJson(context)
        ? ErrorAnswers.WriteAsync(context, refusal, ErrorStyle.Problem)
        : PageResults.Failure(context, Refusals.StatusOf(refusal.Reason), T("Not possible"), Refusals.TextOf(refusal, T))
            .ExecuteAsync(context);

    [LoggerMessage(1, LogLevel.Error, "Request {Reference} could not be done: {Cause}")]
    private static partial void LogStore(ILogger log, string reference, string cause);
}
