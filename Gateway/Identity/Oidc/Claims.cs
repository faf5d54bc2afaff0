using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Settings;

namespace Gateway.Identity.Oidc;

/// <summary>
/// The claims of a person: those of the ID token, and of user info where the token does not have them. This is the only
/// place that knows the names of claims.
/// </summary>
internal sealed class Claims(JsonElement idToken, JsonElement? userInfo)
{
    /// <summary>Whether something is missing that user info may hold.</summary>
    public bool AreIncomplete(OidcSettings settings) =>
        Subject(settings) is null || Text("email") is null || Name is null || (settings.RoleClaim is { } role && Find(role) is null)
        || (settings.Access.Groups.Count > 0 && Find("groups") is null);

    /// <exception cref="SignInException">Nobody is named.</exception>
    public Caller ToCaller(OidcSettings settings)
    {
        var email = Text("email");
        return new Caller
        {
            Source = Source.Oidc,
            Issuer = settings.Issuer,
            Subject = Subject(settings) ?? throw new SignInException(SignInFailure.SubjectMissing, "neither the token nor user info has a subject"),
            UserName = Text("preferred_username"),
            Email = email,
            EmailIsTrusted = email is not null && settings.MatchEmail switch
            {
                EmailTrust.Off => false,
                EmailTrust.Verified => IsTrue("email_verified"),
                EmailTrust.Always => true,
            },
            EmailIsVerified = email is not null && IsTrue("email_verified"),
            Name = Name,
            Picture = settings.UseGravatar && email is not null ? Gravatar(email) : Text("picture"),
            Groups = Texts("groups"),
            Roles = settings.RoleClaim is { } claim ? Texts(claim) : [],
        };
    }

    private string? Name => Text("name")
        ?? (Text("given_name"), Text("family_name")) switch
        {
            (null, null) => Text("preferred_username"),
            var (given, family) => $"{given} {family}".Trim(),
        };

    private string? Subject(OidcSettings settings) => settings.SubjectClaims.Prepend("sub").Select(Text).FirstOrDefault(one => one is not null);

    private string? Text(string name) => Find(name) is { ValueKind: JsonValueKind.String } value && value.GetString()?.Trim() is { Length: > 0 and <= 1024 } text ? text : null;

    /// <summary>A list of texts, or one text: providers send a single group either way.</summary>
    private IReadOnlyList<string> Texts(string path) => Find(path) switch
    {
        { ValueKind: JsonValueKind.String } one => [one.GetString()!],
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Where(one => one.ValueKind is JsonValueKind.String).Select(one => one.GetString()!)],
        _ => [],
    };

    /// <summary>Some providers write booleans as text.</summary>
    private bool IsTrue(string name) => Find(name) is { } value
        && (value.ValueKind is JsonValueKind.True || (value.ValueKind is JsonValueKind.String && value.GetString() is "true"));

    private JsonElement? Find(string path) => Find(idToken, path) ?? (userInfo is { } more ? Find(more, path) : null);

    /// <summary>The member of exactly this name, else the one at the end of a path with dots.</summary>
    private static JsonElement? Find(JsonElement from, string path)
    {
        if (from.ValueKind is not JsonValueKind.Object)
        {
            return null;
        }

        if (from.TryGetProperty(path, out var whole))
        {
            return whole.ValueKind is JsonValueKind.Null ? null : whole;
        }

        return path.Split('.', 2) is [var first, var rest] && from.TryGetProperty(first, out var inner) ? Find(inner, rest) : null;
    }

    private static string Gravatar(string email) =>
        $"https://www.gravatar.com/avatar/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(email.Trim().ToLowerInvariant())))}?s=200&d=identicon&r=x";
}
