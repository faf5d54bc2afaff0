using System.Text.Json.Nodes;

namespace Gateway.Sandbox.StandIns;

/// <summary>Someone with an account at the provider.</summary>
/// <param name="Subject">The stable subject, which is not the login name.</param>
internal sealed record ProviderAccount(
    string Login, string Subject, string Name, string Email, bool EmailIsVerified, IReadOnlyList<string> Groups);

/// <summary>How the provider misbehaves. Everything that is null is as it should be.</summary>
internal sealed class Misbehaviour
{
    public Action<JsonObject>? Header { get; set; }

    public Action<JsonObject>? Payload { get; set; }

    /// <summary>What becomes of the finished ID token.</summary>
    public Func<string, string>? Token { get; set; }

    /// <summary>Signs instead of the provider's key: the bytes to sign in, the signature out.</summary>
    public Func<byte[], byte[]>? Signature { get; set; }

    public Action<JsonObject>? Discovery { get; set; }

    public Action<JsonObject>? Keys { get; set; }

    public Action<JsonObject>? TokenAnswer { get; set; }

    public Action<JsonObject>? UserInfo { get; set; }

    /// <summary>What becomes of the header of user info that is a token.</summary>
    public Action<JsonObject>? UserInfoHeader { get; set; }

    /// <summary>What becomes of user info that is a token.</summary>
    public Func<string, string>? UserInfoToken { get; set; }

    /// <summary>What the redirect back says.</summary>
    public Action<Dictionary<string, string?>>? Redirect { get; set; }

    /// <summary>Answers a path itself; true when it did.</summary>
    public Func<HttpContext, Task<bool>>? Answer { get; set; }
}
