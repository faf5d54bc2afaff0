using Gateway.Headscale;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Users;

/// <summary>Someone who called, as the decision needs to know them.</summary>
internal sealed record Admitted(Person Person, Role Role, LinkedUser? User);

/// <summary>Finds the person, the role and the Headscale user of a caller: from memory, but for the first time and for changes.</summary>
internal sealed partial class Admission(People people, UserDirectory directory, ILogger<Admission> log)
{
    /// <summary>Establishes who <paramref name="caller"/> is here.</summary>
    /// <exception cref="HeadscaleException">Headscale's users could not be read.</exception>
    public async ValueTask<Admitted> AdmitAsync(Caller caller, Configuration configuration, CancellationToken cancel)
    {
        var person = people.Snapshot.Find(caller.Source, caller.Issuer, caller.Subject) ?? AddNew(caller, configuration);
        person = Refresh(person, caller, configuration);
        var users = await directory.GetAsync(cancel);
        var user = LinkOf(person, users) ?? Match(person, caller, users, configuration);
        if (user is not null && person.Link is { Fingerprint: UserLink.Unpinned } unpinned)
        {
            people.Store.Link(person.Id, unpinned with { Fingerprint = user.Fingerprint });
            people.Reload();
        }

        return new(person, configuration.Table.RoleNamed(person.Role), user is null ? null : ToLinked(user, users));
    }

    private Person AddNew(Caller caller, Configuration configuration)
    {
        var bootstrap = configuration.Settings.Bootstrap;
        var rule = bootstrap.Owner is not null ? (IsNamed(bootstrap.Owner, caller, configuration) ? OwnerRule.WhenThereIsNone : OwnerRule.Never)
            : bootstrap.FirstUserIsOwner ? OwnerRule.WhenFirst
            : OwnerRule.Never;
        var (added, asOwner) = people.Store.Admit(NewPerson.Of(caller, RoleOf(caller, configuration) ?? configuration.Settings.DefaultRole), rule);
        var person = people.Reload().Find(caller.Source, caller.Issuer, caller.Subject)
            ?? throw new InvalidOperationException("a person who was just stored is not there");
        if (added)
        {
            LogAdmitted(person.Label, person.Role);
        }

        if (asOwner)
        {
            LogOwner(person.Label);
        }

        return person;
    }

    /// <summary>Groups are said anew with each request and are authoritative; what is stored follows when it differs.</summary>
    private Person Refresh(Person person, Caller caller, Configuration configuration)
    {
        var snapshot = people.Snapshot;
        var role = person.Role == Role.OwnerName ? null
            : !snapshot.HasOwner && IsNamed(configuration.Settings.Bootstrap.Owner, caller, configuration) ? Role.OwnerName
            : RoleOf(caller, configuration);
        var changed = false;
        if (role is not null && role != person.Role)
        {
            changed = people.Store.SetRole(person.Id, role) is Change.Done;
            if (changed)
            {
                LogRole(person.Label, person.Role, role);
            }
        }

        var fresh = NewPerson.Of(caller, person.Role);
        if ((fresh.Name ?? person.Name, fresh.Email ?? person.Email, fresh.Picture ?? person.Picture) is var profile && profile != (person.Name, person.Email, person.Picture))
        {
            people.Store.SetProfile(person.Id, profile.Item1, profile.Item2, profile.Item3);
            changed = true;
        }

        return changed ? people.Reload().Find(caller.Source, caller.Issuer, caller.Subject) ?? person : person;
    }

    /// <summary>The highest role that any group maps to, the default when none does; null when groups do not decide.</summary>
    private static string? RoleOf(Caller caller, Configuration configuration) => configuration.Settings.Server.ProxyAuth is not { RoleMap: { Count: > 0 } map } ? null
        : caller.Groups.Select(map.GetValueOrDefault).OfType<string>().Select(configuration.Table.RoleNamed).MinBy(role => role.Rank)?.Name
            ?? configuration.Settings.DefaultRole;

    private static bool IsNamed(BootstrapOwner? owner, Caller caller, Configuration configuration) => owner?.Source switch
    {
        "proxy" => caller.Source is Source.Proxy && caller.Subject == owner.Value,
        "oidc" => caller.Source is Source.Oidc && caller.Issuer == owner.Issuer && caller.Subject == owner.Value,
        "email" => (caller.Source is Source.Oidc || configuration.Settings.Server.ProxyAuth is { MatchEmail: true }) && caller.Email == owner.Value,
        _ => false,
    };

    /// <summary>A link counts while the user is still there and still the one that was linked.</summary>
    public static HeadscaleUser? LinkOf(Person person, UserSnapshot users) =>
        person.Link is { } link && users.Find(link.HeadscaleUserId) is { } user && (link.Fingerprint == user.Fingerprint || link.Fingerprint == UserLink.Unpinned) ? user : null;

    private HeadscaleUser? Match(Person person, Caller caller, UserSnapshot users, Configuration configuration)
    {
        if (person.Link is { Source: LinkSource.Admin } || UserMatching.Find(caller, users, id => people.Snapshot.IsClaimed(id, person), configuration.Settings) is not { } user)
        {
            return null;
        }

        var outcome = people.Store.Link(person.Id, new UserLink(user.Id, user.Fingerprint, LinkSource.Auto));
        people.Reload();
        if (outcome is not Change.Done)
        {
            LogNotLinked(person.Label, outcome);
            return null;
        }

        LogLinked(person.Label, user.Id);
        return user;
    }

    private static LinkedUser ToLinked(HeadscaleUser user, UserSnapshot users) =>
        new(user.Id, user.Name, users.IsUnique(user.Name));

    [LoggerMessage(1, LogLevel.Information, "{Person} came for the first time and got the role {Role}")]
    private partial void LogAdmitted(string person, string role);

    [LoggerMessage(2, LogLevel.Warning, "{Person} is the first person here and became the owner")]
    private partial void LogOwner(string person);

    [LoggerMessage(3, LogLevel.Information, "{Person} changed from {Before} to {After} by configuration")]
    private partial void LogRole(string person, string before, string after);

    [LoggerMessage(4, LogLevel.Information, "{Person} was linked to Headscale user {User}")]
    private partial void LogLinked(string person, string user);

    [LoggerMessage(5, LogLevel.Warning, "{Person} could not be linked: {Outcome}")]
    private partial void LogNotLinked(string person, Change outcome);
}
