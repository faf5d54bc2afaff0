namespace Gateway.Identity;

/// <summary>What a request says about its sender: nothing, something unacceptable, a key, a token, or an identity.</summary>
internal abstract record Credential
{
    private Credential()
    {
    }

    /// <summary>The request names nobody.</summary>
    internal sealed record None : Credential
    {
        public static None Instance { get; } = new();
    }

    /// <param name="Reason">Why the claim was not accepted.</param>
    /// <param name="Detail">What was wrong with it; holds nothing of the credential.</param>
    internal sealed record Rejected(Policy.Reason Reason, string Detail) : Credential
    {
        /// <summary>Whether it is a token of the gateway's own that does not count.</summary>
        public bool IsToken { get; init; }

        /// <summary>Which token it is, where that is known.</summary>
        public string? Token { get; init; }

        /// <summary>Whether a trusted front named somebody in a way that cannot be believed: then no session counts either.</summary>
        public bool CountsBesideSession { get; init; }
    }

    /// <summary>A Headscale API key of the caller's own, or an OAuth token of Headscale. Headscale judges it.</summary>
    /// <param name="Prefix">The public part.</param>
    /// <param name="Fingerprint">A keyed hash of all of it, which tells it from every other key with the same prefix.</param>
    internal sealed record HeadscaleKey(string Prefix, string Fingerprint) : Credential
    {
        /// <summary>Whether it is an OAuth token, which can do less than a key.</summary>
        public bool IsToken { get; init; }
    }

    /// <summary>A token of the gateway's own.</summary>
    internal sealed record OfToken(Token Token) : Credential
    {
        /// <summary>Whether a browser may send it by itself again and again, as it does with Basic.</summary>
        public bool IsAmbient { get; init; }
    }

    /// <summary>The headers of a trusted proxy.</summary>
    /// <param name="Session">The session that came along, if any: it must be of the same person.</param>
    internal sealed record ProxyIdentity(Caller Caller, Session? Session) : Credential;

    /// <summary>The cookie of a session.</summary>
    internal sealed record OfSession(Session Session) : Credential;
}
