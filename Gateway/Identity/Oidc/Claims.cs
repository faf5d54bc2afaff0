using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Settings;

namespace Gateway.Identity.Oidc;

/// <summary>
/// The claims of a person: those of the ID token, and of user info where the token does not have them. This is the only
/// place that knows the names of claims. Values that name somebody are taken exactly as they are.
/// </summary>
internal sealed class Claims(JsonElement idToken, JsonElement? userInfo)
{
    private const int LongestText = 1024;

    /// <summary>Whether something is missing that user info may hold. Without <c>sub</c>, nobody could say whose it is.</summary>
    public bool AreIncomplete(OidcSettings settings) => Find(idToken, "sub") is not null
        && (Email.Address is null || Name is null || (settings.RoleClaim is { } role && Find(role) is null)
            || (settings.Access.Groups.Count > 0 && Find("groups") is null));

    /// <summary>Who this is.</summary>
    /// <exception cref="SignInException">Nobody is named, or by something that cannot name anybody.</exception>
    public Caller ToCaller(OidcSettings settings)
    {
        var (address, isVerified) = Email;
        return new Caller
        {
            Source = Source.Oidc,
            Issuer = settings.Issuer,
            Subject = Subject(settings),
            UserName = Text("preferred_username"),
            Email = address,
            EmailIsTrusted = address is not null && settings.MatchEmail switch
            {
                EmailTrust.Off => false,
                EmailTrust.Verified => isVerified,
                EmailTrust.Always => true,
            },
            EmailIsVerified = address is not null && isVerified,
            Name = Name,
            Picture = settings.UseGravatar && address is not null ? Gravatar(address) : Text("picture"),
            Groups = Groups("groups"),
            Roles = settings.RoleClaim is { } claim ? Groups(claim) : GroupStatement.None,
        };
    }

    /// <summary>What a value is, for messages.</summary>
    public static string FormOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.Null => "null",
        JsonValueKind.Undefined => "nothing",
    };

    /// <summary>The text of a value; null when it is no text, or half a letter that no text can hold.</summary>
    public static string? StringOf(JsonElement? value)
    {
        try
        {
            return value is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // A surrogate without its other half.
            return null;
        }
    }

    private string? Name => Text("name")
        ?? (Text("given_name"), Text("family_name")) switch
        {
            (null, null) => Text("preferred_username"),
            var (given, family) => $"{given} {family}".Trim(),
        };

    /// <summary>
    /// The address and whether it was verified, as a pair out of one document: one document's word is not about another's address.
    /// </summary>
    private (string? Address, bool IsVerified) Email => EmailOf(idToken) ?? (userInfo is { } more ? EmailOf(more) : null) ?? (null, false);

    private static (string? Address, bool IsVerified)? EmailOf(JsonElement document) => Find(document, "email") is not { } value ? null
        : StringOf(value) is { } address && EmailAddress.IsUsable(address) ? (address, IsTrue(Find(document, "email_verified")))
        : (null, false);

    /// <summary>
    /// OpenID Connect Core 2: <c>sub</c> is compared exactly. Only where it is absent, another claim of the signed token stands in.
    /// </summary>
    /// <exception cref="SignInException">Nobody is named, or by something that cannot name anybody.</exception>
    public string Subject(OidcSettings settings)
    {
        if (settings.SubjectClaims.Prepend("sub").FirstOrDefault(name => Find(idToken, name) is not null) is not { } claim)
        {
            throw new SignInException(SignInFailure.SubjectMissing, settings.SubjectClaims.Count == 0
                ? "the token has no 'sub'; oidc.subject_claims can name another claim that never changes and is never given to "
                    + "somebody else"
                : $"the token has neither 'sub' nor any of oidc.subject_claims ({string.Join(", ", settings.SubjectClaims)})");
        }

        var value = Find(idToken, claim)!.Value;
        if (value.ValueKind is not JsonValueKind.String)
        {
            throw new SignInException(
                SignInFailure.SubjectUnusable, $"the token's '{claim}' is {FormOf(value)}; it must be a text (OpenID Connect Core 2)");
        }

        var subject = StringOf(value) ?? "\ufffd";
        return OutsideText.Complaint(subject, OutsideText.LongestSubject) is { } complaint
            ? throw new SignInException(
                subject.Length == 0 ? SignInFailure.SubjectMissing : SignInFailure.SubjectUnusable, $"the token's '{claim}' {complaint}")
            : subject;
    }

    /// <summary>For people to read, never to compare.</summary>
    private string? Text(string name) =>
        StringOf(Find(name)) is { Length: <= LongestText } text && !string.IsNullOrWhiteSpace(text) ? text : null;

    private GroupStatement Groups(string path)
    {
        var where = $"claim '{path}'";
        if (Find(path) is not { } value)
        {
            return new(where, IsOverage(path) ? GroupForm.Overage : GroupForm.Absent, []);
        }

        return value.ValueKind switch
        {
            JsonValueKind.String when StringOf(value) is { } text => new(where, GroupForm.Text, [text]),
            JsonValueKind.Object =>
                new(
                    where, GroupForm.Keys,
                    [.. value.EnumerateObject().Where(one => one.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array
                        or JsonValueKind.True).Select(one => one.Name)]),
            JsonValueKind.Array when value.EnumerateArray()
                .FirstOrDefault(one => one.ValueKind is not JsonValueKind.String) is { ValueKind: not JsonValueKind.Undefined } other =>
                new(where, GroupForm.Unreadable, [], $"a list with {FormOf(other)} in it"),
            JsonValueKind.Array => new(where, GroupForm.List, [.. value.EnumerateArray().Select(one => StringOf(one)).OfType<string>()]),
            _ => new(where, GroupForm.Unreadable, [], FormOf(value)),
        };
    }

    /// <summary>OpenID Connect Core 5.6.2: the claim is somewhere else. Entra ID says so of more than 200 groups.</summary>
    private bool IsOverage(string path) =>
        (Find("_claim_names") is { ValueKind: JsonValueKind.Object } names && names.TryGetProperty(path, out _))
        || (path == "groups" && IsTrue(Find("hasgroups")));

    /// <summary>Some providers write booleans as text.</summary>
    private static bool IsTrue(JsonElement? value) =>
        value is { ValueKind: JsonValueKind.True } || (value is { ValueKind: JsonValueKind.String } text && text.ValueEquals("true"));

    private JsonElement? Find(string path) => Find(idToken, path) ?? (userInfo is { } more ? Find(more, path) : null);

    /// <summary>
    /// The member of exactly this name, else the one at the end of a path with dots, whose parts may have dots themselves.
    /// </summary>
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

        for (var dot = path.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = path.IndexOf('.', dot + 1))
        {
            if (from.TryGetProperty(path[..dot], out var inner) && Find(inner, path[(dot + 1)..]) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private static string Gravatar(string email) =>
        "https://www.gravatar.com/avatar/" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(email.ToLowerInvariant())))
        + "?s=200&d=identicon&r=x";
}
