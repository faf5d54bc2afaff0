using System.Collections.Concurrent;
using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Settings;
using static Gateway.Policy.Sentences;

namespace Gateway.Users;

/// <summary>Finds the person, the role and the Headscale user of a caller: from memory, but for the first time and for changes.</summary>
internal sealed partial class PrincipalResolver(
    People people, UserDirectory directory, AutomaticChanges changes, ILogger<PrincipalResolver> log)
{
    private const int MostUnmatched = 1_000;

    private readonly SaidOnce<long> _said = new();
    private readonly ConcurrentDictionary<long, TriedMatch> _unmatched = new();

    /// <summary>Establishes who <paramref name="caller"/> is here. Roles that the source decides are taken over.</summary>
    /// <exception cref="HeadscaleException">Headscale's users could not be read.</exception>
    /// <exception cref="StoreException">Something new could not be stored.</exception>
    public async ValueTask<Principal> ResolveAsync(Caller caller, Configuration configuration, CancellationToken cancel) =>
        await LinkAsync(await RegisterAsync(caller, configuration), caller, null, configuration, cancel);

    /// <summary>Establishes who a stored person is here.</summary>
    /// <exception cref="HeadscaleException">Headscale's users could not be read.</exception>
    public ValueTask<Principal> ResolveAsync(Person person, Configuration configuration, CancellationToken cancel) =>
        LinkAsync(person, CallerOf(person, configuration.Settings), null, configuration, cancel);

    /// <summary>
    /// Who a session belongs to, with the role of this moment; null when the person is gone, and when the settings know the way no more
    /// by which they came.
    /// </summary>
    /// <exception cref="HeadscaleException">Headscale's users could not be read.</exception>
    public async ValueTask<Principal?> ResolveAsync(Session session, Configuration configuration, CancellationToken cancel)
    {
        if (session.Kind is SessionKind.ApiKey)
        {
            return configuration.Settings.TakesApiKeys
                ? new(null, Person.LabelOf(session, null), Role.OfApiKey(configuration.Table.Roles[0]), null, session)
                : null;
        }

        return session.PersonId is { } id && people.Snapshot.Find(id) is { } person
            && configuration.Settings.Oidc?.Issuer == person.Issuer
            ? await LinkAsync(person, CallerOf(person, configuration.Settings), session, configuration, cancel)
            : null;
    }

    /// <summary>
    /// Whom a token acts for, with no right that either of the two lacks at this moment; null when the person is gone, and when the
    /// settings know the way no more by which they came.
    /// </summary>
    /// <exception cref="HeadscaleException">Headscale's users could not be read.</exception>
    public async ValueTask<Principal?> ResolveAsync(Credential.OfToken token, Configuration configuration, CancellationToken cancel)
    {
        if (people.Snapshot.Find(token.Token.PersonId) is not { } person || !IsWayOpen(person, configuration.Settings))
        {
            return null;
        }

        var principal = await ResolveAsync(person, configuration, cancel);
        var role = principal.Role.Cap(configuration.Table.RoleNamed(token.Token.Role)).ForTokens();
        return principal with { Role = role, Token = token };
    }

    private static bool IsWayOpen(Person person, GatewaySettings settings) => person.Source switch
    {
        Source.Oidc => settings.Oidc?.Issuer == person.Issuer,
        Source.Proxy => settings.Server.ProxyAuth?.Issuer == person.Issuer,
        Source.None => false,
    };

    /// <summary>Stores who came, or what changed about them, without asking Headscale anything.</summary>
    /// <exception cref="StoreException">It could not be stored.</exception>
    public async ValueTask<Person> RegisterAsync(Caller caller, Configuration configuration) => await RefreshAsync(
        people.Snapshot.Find(caller.Source, caller.Issuer, caller.Subject) ?? await AddNewAsync(caller, configuration), caller,
            configuration);

    /// <summary>What a session still knows of the caller that began it.</summary>
    private static Caller CallerOf(Person person, GatewaySettings settings) => new()
    {
        Source = person.Source,
        Issuer = person.Issuer,
        Subject = person.Subject,
        UserName = person.Source is Source.Proxy && settings.Server.ProxyAuth is { SubjectHeader: null } ? person.Subject : null,
        Email = person.Email,
        EmailIsTrusted = person.EmailIsTrusted,
    };

    /// <summary>Why a person is linked to nobody, from what was known at their last sign-in; null when they are linked.</summary>
    public static FormattableString? WhyUnlinked(
        Person person, UserSnapshot users, Func<string, bool> isClaimed, GatewaySettings settings) =>
        person.Link switch
        {
            _ when LinkOf(person, users) is not null => null,
            { Source: LinkSource.Admin } link =>
                Said($"an administrator linked Headscale user {link.HeadscaleUserId}, which is no longer there or is another one now"),
            _ when person.IsKeptUnlinked => Said($"an administrator took the link away; only an administrator links them again"),
            _ =>
                UserMatching.Find(CallerOf(person, settings), users, isClaimed, settings) is { User: null, Why: var why }
                    ? why
                    : Said($"the next request links them"),
        };

    /// <summary>Why a person is linked to nobody; null when they are linked.</summary>
    public FormattableString? WhyUnlinked(Person person, UserSnapshot users, GatewaySettings settings) =>
        WhyUnlinked(person, users, id => people.Snapshot.IsClaimed(id, person), settings);

    private async ValueTask<Principal> LinkAsync(
        Person person, Caller caller, Session? session, Configuration configuration, CancellationToken cancel)
    {
        var users = await directory.GetAsync(cancel);
        if (person.Link is null)
        {
            // Their Headscale user may have been made a moment ago.
            users = await directory.GetRecentAsync(cancel);
        }

        var user = LinkOf(person, users) ?? await MatchAsync(person, caller, users, configuration);
        if (user is not null && person.Link is { Fingerprint: UserLink.Unpinned } unpinned)
        {
            await people.PinLinkAsync(person.Id, unpinned with { Fingerprint = user.Fingerprint });
        }

        return new(person, person.Label, configuration.Table.RoleNamed(person.Role), user is null ? null : ToLinked(user, users), session)
        {
            WhyUnlinked = user is null ? new Lazy<FormattableString?>(() => WhyUnlinked(person, users, configuration.Settings)) : null,
        };
    }

    private async Task<Person> AddNewAsync(Caller caller, Configuration configuration)
    {
        var bootstrap = configuration.Settings.Bootstrap;
        var rule = bootstrap.Owner is not null
            ? (IsNamed(bootstrap.Owner, caller, configuration) ? OwnerRule.WhenThereIsNone : OwnerRule.Never)
            : bootstrap.FirstUserIsOwner ? OwnerRule.WhenFirst
            : OwnerRule.Never;
        var role = RoleSource.Of(caller, configuration).Role ?? RoleSource.DefaultOf(caller.Source, configuration.Settings);
        var (person, isNew) = await people.AdmitAsync(NewPerson.Of(caller, role), rule);
        if (isNew)
        {
            LogAdmitted(person.Label, person.Role);
            if (person.Role == Role.OwnerName)
            {
                LogOwner(person.Label);
            }
        }

        return person;
    }

    /// <summary>
    /// Groups are said anew with each request; what is stored follows when it differs, unless somebody gave the role by hand.
    /// </summary>
    private async ValueTask<Person> RefreshAsync(Person person, Caller caller, Configuration configuration)
    {
        var sourced = person.RoleIsPinned && configuration.Settings.ManualRoles is ManualRoles.Pinned
            ? SourcedRole.None
            : RoleSource.Of(caller, configuration);
        var role = person.Role == Role.OwnerName ? null
            : !people.Snapshot.HasOwner && IsNamed(configuration.Settings.Bootstrap.Owner, caller, configuration) ? Role.OwnerName
            : sourced.Role;

        // Nothing that a source says makes or unmakes the owner.
        var profile = person.Profile.With(caller, (role ?? person.Role) == Role.OwnerName ? null : sourced.Note);
        if ((role is null || role == person.Role) && profile == person.Profile)
        {
            return person;
        }

        if (await people.FollowAsync(person.Id, role, profile,
            isPinnedKept: configuration.Settings.ManualRoles is ManualRoles.Pinned) is not Change.Done)
        {
            return people.Snapshot.Find(person.Id) ?? person;
        }

        if (role is not null && role != person.Role)
        {
            var why = sourced.Note ?? "named by bootstrap.owner";
            LogRole(person.Label, person.Role, role, why);
            await changes.RecordAsync(person, role, why);
        }

        if (profile.RoleNote is { } note && note != person.RoleNote)
        {
            LogRoleNote(person.Label, note);
        }

        return people.Snapshot.Find(person.Id) ?? person;
    }

    private static bool IsNamed(BootstrapOwner? owner, Caller caller, Configuration configuration) => owner?.Source switch
    {
        "proxy" => caller.Source is Source.Proxy && caller.Subject == owner.Value,
        "oidc" => caller.Source is Source.Oidc && caller.Issuer == owner.Issuer && caller.Subject == owner.Value,
        "email" =>
            (caller.EmailIsVerified || (caller.Source is Source.Proxy && configuration.Settings.Server.ProxyAuth is { MatchEmail: true }))
                && caller.Email == owner.Value,
        _ => false,
    };

    /// <summary>A link counts while the user is still there and still the one that was linked.</summary>
    public static HeadscaleUser? LinkOf(Person person, UserSnapshot users) =>
        person.Link is { } link && users.Find(link.HeadscaleUserId) is { } user
            && (link.Fingerprint == user.Fingerprint || link.Fingerprint == UserLink.Unpinned)
            ? user
            : null;

    private async ValueTask<HeadscaleUser?> MatchAsync(Person person, Caller caller, UserSnapshot users, Configuration configuration)
    {
        if (person.IsKeptUnlinked || person.Link is { Source: LinkSource.Admin })
        {
            return null;
        }

        // Whoever was found with nothing changed since is found again with the same outcome.
        var tried = new TriedMatch(people.Snapshot, users, configuration, caller.UserName, caller.Email, caller.EmailIsTrusted);
        if (_unmatched.TryGetValue(person.Id, out var before) && before == tried)
        {
            return null;
        }

        var (found, why) = UserMatching.Find(caller, users, id => people.Snapshot.IsClaimed(id, person), configuration.Settings);
        if (found is not { } user)
        {
            if (_unmatched.Count >= MostUnmatched)
            {
                _unmatched.Clear();
            }

            _unmatched[person.Id] = tried;
            var words = why!.English();
            if (_said.IsNew(person.Id, words))
            {
                LogUnlinked(person.Label, words);
            }

            return null;
        }

        var outcome = await people.LinkAsync(person.Id, new UserLink(user.Id, user.Fingerprint, LinkSource.Auto));
        if (outcome is not Change.Done)
        {
            LogNotLinked(person.Label, outcome);
            return null;
        }

        LogLinked(person.Label, user.Id);
        return user;
    }

    /// <summary>What a match that found nobody rested on.</summary>
    private readonly record struct TriedMatch(
        PeopleSnapshot People, UserSnapshot Users, Configuration Configuration, string? UserName, string? Email, bool EmailIsTrusted);

    private static LinkedUser ToLinked(HeadscaleUser user, UserSnapshot users) =>
        new(user.Id, user.Name, users.IsUnique(user.Name));

    [LoggerMessage(1, LogLevel.Information, "{Person} came for the first time and got the role {Role}")]
    private partial void LogAdmitted(string person, string role);

    [LoggerMessage(2, LogLevel.Warning, "{Person} is the first person here and became the owner")]
    private partial void LogOwner(string person);

    [LoggerMessage(3, LogLevel.Information, "{Person} changed from {Before} to {After} by configuration: {Why}")]
    private partial void LogRole(string person, string before, string after, string why);

    [LoggerMessage(4, LogLevel.Information, "{Person} was linked to Headscale user {User}")]
    private partial void LogLinked(string person, string user);

    [LoggerMessage(5, LogLevel.Warning, "{Person} could not be linked: {Outcome}")]
    private partial void LogNotLinked(string person, Change outcome);

    [LoggerMessage(6, LogLevel.Information, "{Person}: {Why}")]
    private partial void LogRoleNote(string person, string why);

    [LoggerMessage(7, LogLevel.Warning, "{Person} is linked to no Headscale user: {Why}")]
    private partial void LogUnlinked(string person, string why);
}
