using Gateway.Edge;
using Gateway.Identity;
using Gateway.Identity.Oidc;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection;

namespace Gateway.Admin;

/// <summary>How an answer of the provider ends: in a session, or on a page that says why not.</summary>
internal sealed partial class ProviderSignIn(
    Admission admission, Sessions sessions, SignInAudit audit, IDataProtectionProvider protection, TimeProvider clock, ILogger<ProviderSignIn> log)
{
    /// <summary>What protects ID tokens in the store.</summary>
    public const string TokenPurpose = "Gateway.Admin.IdToken.v1";

    private static readonly TimeSpan _tabsAtOnce = TimeSpan.FromMinutes(1);

    public async Task SucceedAsync(TicketReceivedContext context)
    {
        context.HandleResponse();
        var visit = PageAnswers.Visit(context.HttpContext);
        var person = context.Properties!.GetParameter<SignedInAtProvider>(OidcOptions.Person)!;
        try
        {
            var stored = admission.Register(person.Caller, visit.Configuration);
            Begin(context.HttpContext, visit, stored, person);
            LogSignedIn(stored.Label, stored.Role, visit.RequestId);
            await audit.RecordAsync(context.HttpContext, "sign_in.oidc", stored.Label, "done", StatusCodes.Status302Found, stored.Role);
            context.Response.Redirect(PageAnswers.ReturnTo(context.HttpContext, context.ReturnUri));
        }
        catch (StoreException e)
        {
            await RefuseAsync(context.HttpContext, SignInFailure.StoreUnavailable, e.Message);
        }
    }

    public async Task FailAsync(RemoteFailureContext context)
    {
        context.HandleResponse();
        var failure = context.Failure;
        while (failure is not (null or SignInException))
        {
            failure = failure.InnerException;
        }

        await (failure is SignInException known
            ? RefuseAsync(context.HttpContext, known.Failure, known.Message)
            : RefuseAsync(context.HttpContext, SignInFailure.Unknown, $"{context.Failure?.GetType().Name}: {context.Failure?.Message}"));
    }

    [LoggerMessage(1, LogLevel.Warning, "Sign-in {Reference} was refused: {Failure}: {Detail}")]
    public static partial void LogRefused(ILogger log, string reference, SignInFailure failure, string detail);

    /// <summary>
    /// The id is new with every sign-in, and the session that the browser had before is over; but not one of this minute,
    /// which another tab may be about to use.
    /// </summary>
    private void Begin(HttpContext context, Visit visit, Person person, SignedInAtProvider from)
    {
        var (cookie, now) = (visit.Configuration.Settings.Server.Cookie, clock.GetUtcNow());
        var before = sessions.Of(context.Request, cookie);
        SessionStart.Begin(context, sessions, SessionStart.Draft(context, SessionKind.Oidc, now, now + cookie.MaxAge) with
        {
            PersonId = person.Id,
            ProviderSession = from.ProviderSession,
            ProtectedIdToken = visit.Configuration.Settings.Oidc is { UseEndSession: true } ? protection.CreateProtector(TokenPurpose).Protect(from.IdToken) : null,
        });
        if (before is not null && now - before.CreatedAt > _tabsAtOnce)
        {
            sessions.End(before.Id);
        }
    }

    private async Task RefuseAsync(HttpContext context, SignInFailure failure, string detail)
    {
        LogRefused(log, context.TraceIdentifier, failure, detail);
        var (status, text, advice) = SignInTexts.Of(failure);
        await audit.RecordAsync(context, "sign_in.oidc", null, SnakeCase.From(failure.ToString()), status, detail: detail);
        await PageAnswers.Failure(context, status, "Sign-in failed", text, advice).ExecuteAsync(context);
    }

    [LoggerMessage(2, LogLevel.Information, "{Person} signed in as {Role} ({Reference})")]
    private partial void LogSignedIn(string person, string role, string reference);
}
