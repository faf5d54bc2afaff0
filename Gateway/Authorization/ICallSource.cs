using Gateway.Headscale;
using Gateway.Policy;

namespace Gateway.Authorization;

/// <summary>Where a call comes from: a request on the wire, or a page that names a rule and its arguments.</summary>
internal interface ICallSource
{
    /// <summary>The rule that matches; null for none.</summary>
    RouteRule? Rule { get; }

    /// <summary>Whether the path, read as loosely as any Headscale does, leads to the API keys.</summary>
    bool MayMeanApiKeys { get; }

    /// <summary>Reads everything but the body.</summary>
    /// <param name="version">The version of Headscale; null while it is not known.</param>
    Call Read(HeadscaleVersion? version);

    /// <summary>Adds the body's members to a call, or the problem that it has.</summary>
    ValueTask<Call> ReadBodyAsync(Call call, HeadscaleVersion version);
}
