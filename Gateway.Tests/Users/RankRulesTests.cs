using Gateway.Identity;
using Gateway.Tests.Support;
using Gateway.Users;

namespace Gateway.Tests.Users;

/// <summary>Who may change whom, for every pair of roles.</summary>
[Trait("Category", "Fast")]
public sealed class RankRulesTests
{
    [Fact]
    public void OnlyWhoMayAssignRolesChangesOnlyWhomTheyOutrank()
    {
        foreach (var mine in Some.Table.Roles)
        {
            foreach (var theirs in Some.Table.Roles)
            {
                var isAllowed = RankRules.Complaint(Me(mine.Name), Person(2, theirs.Name), Some.Table) is null;
                isAllowed.Should().Be(mine.Name is "owner" or "admin" && mine.Rank < theirs.Rank, $"{mine} and {theirs}");
            }
        }
    }

    [Fact]
    public void NobodyChangesThemselvesAndTheConsoleChangesEverybody()
    {
        RankRules.Complaint(Me("admin"), Person(1, "member"), Some.Table).Should().NotBeNull();
        RankRules.Complaint(Principal.Console("root", Some.Table.Roles[0]), Person(2, "owner"), Some.Table).Should().BeNull();
    }

    [Fact]
    public void ARoleIsGivenFromAboveItAndOwnershipNever()
    {
        foreach (var mine in Some.Table.Roles)
        {
            foreach (var given in Some.Table.Roles)
            {
                RankRules.MayGive(Me(mine.Name), given.Name, Some.Table).Should()
                    .Be(mine.Name is "owner" or "admin" && given.Rank > mine.Rank);
            }

            RankRules.MayGive(Me(mine.Name), "no-such-role", Some.Table).Should().BeFalse();
        }
    }

    private static Principal Me(string role) => new(Person(1, role), "proxy:me", Some.Table.RoleNamed(role), null, null);

    private static Person Person(long id, string role) =>
        new() { Id = id, Source = Source.Proxy, Issuer = "", Subject = $"person-{id}", Role = role, CreatedAt = default };
}
