namespace Gateway.Policy;

/// <summary>What has to be looked up before a call can be decided.</summary>
internal enum MissingFact
{
    /// <summary>Nothing: the decision stands.</summary>
    None = 0,

    Body,
    Owner,
    TargetKey,
    Version,
    OwnNodes,
}

/// <summary>Which reasons are no last word.</summary>
internal static class MissingFacts
{
    extension(Reason reason)
    {
        /// <summary>What a refusal for this reason lacks.</summary>
        public MissingFact Missing => reason switch
        {
            Reason.BodyUnread => MissingFact.Body,
            Reason.OwnerUnknown => MissingFact.Owner,
            Reason.TargetKeyUnknown => MissingFact.TargetKey,
            Reason.VersionUnknown => MissingFact.Version,
            Reason.OwnNodesUnknown => MissingFact.OwnNodes,
            Reason.NotDecided or Reason.BadRequest or Reason.BadQuery or Reason.BadBody or Reason.UnsupportedMediaType or Reason.TooLarge
                or Reason.TooMany or Reason.MalformedCredential or Reason.CredentialsDisagree or Reason.SignInRequired or Reason.CrossSite
                or Reason.NoSuchRoute or Reason.RoleTooLow or Reason.NotLinked or Reason.NotOwner or Reason.NotFound
                or Reason.OwnRightsExceeded or Reason.NotInToken or Reason.GatewayKeySpared or Reason.AuditUnavailable
                or Reason.StoreUnavailable or Reason.UpstreamUnavailable or Reason.UpstreamKeyMissing or Reason.UpstreamKeyRejected
                or Reason.UpstreamNotUnderstood or Reason.PassedBefore or Reason.Allowed or Reason.PassedThrough => MissingFact.None,
        };
    }
}
