using Gateway.Edge;
using Gateway.Policy;
using Gateway.Users;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Web.Layout;

/// <summary>What an endpoint demands of the role of whoever asks: one of these capabilities.</summary>
/// <param name="AnyOf">The capabilities; the first is named to those who lack all.</param>
internal sealed record CapabilityRequirement(IReadOnlyList<Capability> AnyOf) : IAuthorizationRequirement
{
    /// <summary>What an endpoint that says nothing demands: somebody signed in.</summary>
    public static CapabilityRequirement SignedIn { get; } = new([Capability.SignedIn]);

    /// <summary>Whether a role fulfils it.</summary>
    public bool IsMetBy(Role role) => AnyOf.Any(role.Has);
}

/// <summary>The mark of endpoints that programs may use with a token of the gateway's own. Others are for people.</summary>
/// <param name="AlsoLimited">Whether also with a token that is for some operations alone.</param>
internal sealed record TokenAccess(bool AlsoLimited)
{
    /// <summary>Whether somebody may use an endpoint with what they have.</summary>
    public static bool IsOpenTo(Principal principal, Endpoint? endpoint) =>
        principal.Token is not { Token: var token }
        || (endpoint?.Metadata.GetMetadata<TokenAccess>() is { } access && (access.AlsoLimited || token.Operations.Count == 0));
}

/// <summary>Decides capability requirements by the principal of the request.</summary>
internal sealed class CapabilityHandler : AuthorizationHandler<CapabilityRequirement>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, CapabilityRequirement requirement)
    {
        if (context.Resource is HttpContext http && AuthenticationState.Of(http).Principal is { } principal
            && requirement.IsMetBy(principal.Role) && TokenAccess.IsOpenTo(principal, http.GetEndpoint()))
        {
            context.Succeed(requirement);
        }

        return Task.CompletedTask;
    }
}

/// <summary>The operation that an endpoint stands for, under whose name the audit has refusals.</summary>
/// <param name="NameOf">The rule of the policy, or the name of a change, by the values in the path.</param>
internal sealed record EndpointOperation(Func<RouteValueDictionary, string> NameOf);

/// <summary>How endpoints say who may use them.</summary>
internal static class EndpointAccess
{
    /// <summary>Demands one of these capabilities; <see cref="Capability.SignedIn"/> is held by everybody who is signed in.</summary>
    public static TBuilder RequireCapability<TBuilder>(this TBuilder endpoint, params Capability[] anyOf)
        where TBuilder : IEndpointConventionBuilder
    {
        var requirement = new CapabilityRequirement(anyOf);
        endpoint.RequireAuthorization(policy => policy.AddRequirements(requirement));
        endpoint.WithMetadata(requirement);
        return endpoint;
    }

    /// <summary>Opens the endpoint to programs with a token. Nothing that changes is.</summary>
    /// <param name="alsoLimited">Whether also with a token that is for some operations alone.</param>
    public static TBuilder TakesTokens<TBuilder>(this TBuilder endpoint, bool alsoLimited = false)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new TokenAccess(alsoLimited));

    /// <summary>Names the operation that the endpoint stands for.</summary>
    public static RouteHandlerBuilder Performs(this RouteHandlerBuilder endpoint, Func<RouteValueDictionary, string> nameOf) =>
        endpoint.WithMetadata(new EndpointOperation(nameOf));

    /// <summary>Names the operation that the endpoint stands for.</summary>
    public static RouteHandlerBuilder Performs(this RouteHandlerBuilder endpoint, string name) => endpoint.Performs(_ => name);
}
