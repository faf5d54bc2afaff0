using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Identity.Oidc;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;
using Gateway.Web.Layout;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.SignIn;

/// <summary>How an answer of the provider ends: in a session, or on a page that says why not.</summary>
internal sealed partial class ProviderSignIn(
    PrincipalResolver principals, Sessions sessions, SignInAudit audit, IDataProtectionProvider protection, TimeProvider clock,
        ILogger<ProviderSignIn> log)
{
    /// <summary>What protects ID tokens in the store.</summary>
    public const string TokenPurpose = "Gateway.Admin.IdToken.v1";

    /// <summary>The note is worth no longer wait: the person is signed in.</summary>
    private static readonly TimeSpan _longestLook = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan _tabsAtOnce = TimeSpan.FromMinutes(1);

    public async Task SucceedAsync(TicketReceivedContext context)
    {
        context.HandleResponse();
        var request = RequestContext.Of(context.HttpContext);
        var person = context.Properties!.GetParameter<SignedInAtProvider>(OidcHandler.Person)!;
        try
        {
            var stored = await principals.RegisterAsync(person.Caller, request.Configuration);
            await BeginAsync(context.HttpContext, request, stored, person);
            LogSignedIn(stored.Label, stored.Role, request.RequestId);
            await audit.RecordAsync(
                context.HttpContext, "sign_in.oidc", stored.Label, "done", StatusCodes.Status302Found, stored.Role,
                await NoteAsync(stored, request, context.HttpContext.RequestAborted));
            context.Response.Redirect(PageResults.ReturnTo(context.HttpContext, context.ReturnUri));
        }
        catch (StoreException e)
        {
            await (await RefuseAsync(context.HttpContext, SignInFailure.StoreUnavailable, e.Message)).ExecuteAsync(context.HttpContext);
        }
    }

    /// <summary>What the role follows from, and why there is no link: what somebody without rights will ask for.</summary>
    private async Task<string?> NoteAsync(Person person, RequestContext request, CancellationToken cancel)
    {
        using var enough = new CancellationTokenSource(_longestLook, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(enough.Token, cancel);
        try
        {
            var principal = await principals.ResolveAsync(person, request.Configuration, either.Token);
            return Joined(person.RoleNote, principal.WhyUnlinked?.Value?.English());
        }
        catch (HeadscaleException e)
        {
            return Joined(person.RoleNote, $"Headscale could not be asked: {e.Message}");
        }
        catch (StoreException e)
        {
            return Joined(person.RoleNote, $"the link could not be stored: {e.Message}");
        }
        catch (OperationCanceledException)
        {
            return Joined(person.RoleNote, "Headscale did not say its users in time");
        }

        static string? Joined(string? role, string? link) => (role, link) switch
        {
            (null, null) => null,
            (var only, null) => only,
            _ => $"{(role is null ? "" : role + "; ")}not linked: {link}",
        };
    }

    public async Task FailAsync(RemoteFailureContext context)
    {
        context.HandleResponse();
        if (context.HttpContext.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        var failure = context.Failure;
        while (failure is not (null or SignInException))
        {
            failure = failure.InnerException;
        }

        if (failure is not SignInException { Failure: not SignInFailure.Unknown })
        {
            LogUnknown(context.Failure, context.HttpContext.TraceIdentifier);
        }

        var page = failure is SignInException known
            ? await RefuseAsync(context.HttpContext, known.Failure, known.Message)
            : await RefuseAsync(
                context.HttpContext, SignInFailure.Unknown, $"{context.Failure?.GetType().Name}: {context.Failure?.Message}");
        await page.ExecuteAsync(context.HttpContext);
    }

    [LoggerMessage(1, LogLevel.Warning, "Sign-in {Reference} was refused: {Failure}: {Detail}")]
    public static partial void LogRefused(ILogger log, string reference, SignInFailure failure, string detail);

    /// <summary>
    /// The id is new with every sign-in, and the session that the browser had before is over; but not one of this minute,
    /// which another tab may be about to use.
    /// </summary>
    private async Task BeginAsync(HttpContext context, RequestContext request, Person person, SignedInAtProvider from)
    {
        var (cookie, now) = (request.Configuration.Settings.Server.Cookie, clock.GetUtcNow());
        var before = sessions.Of(context.Request, request.Configuration.Settings);
        await SessionStart.BeginAsync(context, sessions, SessionStart.Draft(context, SessionKind.Oidc, now, now + cookie.MaxAge) with
        {
            PersonId = person.Id,
            ProviderSession = from.ProviderSession,
            ProtectedIdToken = request.Configuration.Settings.Oidc is { UseEndSession: true }
                ? protection.CreateProtector(TokenPurpose).Protect(from.IdToken)
                : null,
        });
        if (before is not null && now - before.CreatedAt > _tabsAtOnce)
        {
            await sessions.EndAsync(before.Id);
        }
    }

    /// <summary>Logs and records why nobody was signed in.</summary>
    /// <returns>The page that says so.</returns>
    public async Task<IResult> RefuseAsync(HttpContext context, SignInFailure failure, string detail)
    {
        LogRefused(log, context.TraceIdentifier, failure, detail);
        var settings = RequestContext.Of(context).Configuration.Settings;
        var (status, text, advice) = SignInTexts.Of(failure, settings.Server.BaseUrl is null ? "" : RedirectAddress.Of(settings));
        await audit.RecordAsync(context, "sign_in.oidc", null, SnakeCase.From(failure.ToString()), status, detail: detail);
        return PageResults.Failure(context, status, T("Sign-in failed"), text, advice, isSignedIn: false);
    }

    [LoggerMessage(3, LogLevel.Error, "Sign-in {Reference} failed in a way that nobody foresaw")]
    private partial void LogUnknown(Exception? failure, string reference);

    [LoggerMessage(2, LogLevel.Information, "{Person} signed in as {Role} ({Reference})")]
    private partial void LogSignedIn(string person, string role, string reference);
}
