using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Forwarding;

/// <summary>How a request is to be sent on. Without one on the request, nothing is forwarded.</summary>
internal abstract record ForwardingPlan
{
    private ForwardingPlan()
    {
    }

    /// <summary>As it came: the client plane, and callers with their own key.</summary>
    /// <param name="KeepsHost">Whether Headscale sees the host name that the client used.</param>
    internal sealed record PassThrough(bool KeepsHost, bool IsTunnel) : ForwardingPlan;

    /// <summary>A judged call: written anew, with our key on it.</summary>
    internal sealed record Rewritten(string Target, byte[]? Body, Secret? Key, ResponseFilter Filter) : ForwardingPlan
    {
        /// <summary>What <see cref="Body"/> is sent as.</summary>
        public required string BodyType { get; init; }

        /// <summary>What the operation takes in headers.</summary>
        public required IReadOnlyDictionary<string, string> Headers { get; init; }

        /// <summary>Set when the answer must not be shown, to what is answered in its place.</summary>
        public Reason? Withheld { get; set; }
    }
}
