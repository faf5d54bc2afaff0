using System.Collections.Frozen;

namespace Gateway.Policy;

/// <summary>
/// A right that a row demands and a role holds. The first seventeen are Headplane's; the last six are the gateway's own.
/// Written in <c>routes.yaml</c> in snake case.
/// </summary>
internal enum Capability
{
    /// <summary>Held by nobody, so that a row without a capability refuses everyone.</summary>
    None = 0,

    /// <summary>Held by everyone who is signed in, whatever the role.</summary>
    SignedIn,
    UiAccess,
    ReadPolicy,
    WritePolicy,
    ReadNetwork,
    WriteNetwork,
    ReadFeature,
    WriteFeature,
    ConfigureIam,
    ReadMachines,
    WriteMachines,
    ReadUsers,
    WriteUsers,
    GenerateAuthkeys,
    GenerateOwnAuthkeys,
    UseTags,
    WriteTailnet,
    Owner,
    AssignRoles,
    ApproveRoutes,
    ManageApiKeys,
    ReadAudit,
    ReadOwnMachines,
    WriteOwnMachines,
}

/// <summary>The written names of capabilities, and nothing else, in both directions.</summary>
internal static class Capabilities
{
    /// <summary>Every capability that a file may name, by its name.</summary>
    public static FrozenDictionary<string, Capability> ByName { get; } =
        Enum.GetValues<Capability>().Where(one => one is not Capability.None).ToFrozenDictionary(one => one.Name, StringComparer.Ordinal);

    extension(Capability capability)
    {
        /// <summary>The name in <c>routes.yaml</c> and in answers, such as <c>write_machines</c>.</summary>
        public string Name => SnakeCase.From(capability.ToString());
    }
}

/// <summary>How enum members are written in files and on the wire: <c>OwnRightsExceeded</c> is <c>own_rights_exceeded</c>.</summary>
internal static class SnakeCase
{
    public static string From(string pascal) =>
        string.Concat(
            pascal.Select((letter, at) => char.IsUpper(letter) ? (at > 0 ? "_" : "") + char.ToLowerInvariant(letter) : letter.ToString()));
}
