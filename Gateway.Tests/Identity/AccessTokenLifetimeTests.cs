using System.Net;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Identity;

/// <summary>A token by itself: how long each of its texts counts, from where, and with which rights.</summary>
public sealed class AccessTokenLifetimeTests
{
    [Fact]
    public void ATokenNeverHasARightThatItsRoleOrItsPersonLacks()
    {
        foreach (var person in Some.Table.Roles.Append(Role.Unknown))
        {
            foreach (var token in Some.Table.Roles.Append(Role.Unknown))
            {
                var both = person.Cap(token);

                both.Held.Should().BeSubsetOf(person.Held).And.BeSubsetOf(token.Held);
                (both.Rank >= person.Rank && both.Rank >= token.Rank).Should().BeTrue("rank counts where rights do");
                both.Has(Capability.SignedIn).Should().Be(person != Role.Unknown && token != Role.Unknown);
            }
        }

        Some.Table.RoleNamed("it_admin").Cap(Some.Table.RoleNamed("it_admin")).Should().BeSameAs(Some.Table.RoleNamed("it_admin"));
    }

    [Fact]
    public async Task ATextThatIsOverIsNotBroughtBackByMakingTheTokenAnew()
    {
        using var folder = new TemporaryFolder();
        await using var state = await StoredState.OpenAsync(folder.Path);
        var clock = new SteppedClock();
        using var tokens = new AccessTokens(state.Tokens, state.Documents, clock, NullLogger<AccessTokens>.Instance);
        var (token, first) = (await tokens.CreateAsync(New(clock, "ci")))!.Value;
        clock.Move(TimeSpan.FromDays(90) - TimeSpan.FromHours(1));
        var (_, second) = (await tokens.RotateAsync(token.Id, TimeSpan.FromHours(24)))!.Value;
        clock.Move(TimeSpan.FromHours(1));
        tokens.Read(first, null).Complaint.Should().Contain("was rotated", "its time was over, overlap or not");

        clock.Move(TimeSpan.FromDays(91));
        await tokens.RotateAsync(token.Id, TimeSpan.FromHours(24));
        tokens.Read(second, null).Complaint.Should().Contain("was rotated");
    }

    [Fact]
    public async Task ATokenMadeAnewHasTheTimeItHadAndTheOneBeforeCountsAWhile()
    {
        using var folder = new TemporaryFolder();
        await using var state = await StoredState.OpenAsync(folder.Path);
        var clock = new SteppedClock();
        using var tokens = new AccessTokens(state.Tokens, state.Documents, clock, NullLogger<AccessTokens>.Instance);
        var (token, first) = (await tokens.CreateAsync(New(clock, "ci")))!.Value;
        clock.Move(TimeSpan.FromDays(80));
        var (rotated, second) = (await tokens.RotateAsync(token.Id, TimeSpan.FromHours(24)))!.Value;

        (rotated.Id, rotated.ExpiresAt).Should().Be((token.Id, clock.GetUtcNow().AddDays(90)));
        tokens.Read(first, null).Complaint.Should().BeNull();
        tokens.All.Should().ContainSingle(one => one.LastUsedAt == clock.GetUtcNow(), "it is known at once");
        tokens.Read(second, null).Complaint.Should().BeNull();
        clock.Move(TimeSpan.FromHours(24));
        tokens.Read(first, null).Complaint.Should().Contain("was rotated");
        tokens.Read(second, null).Complaint.Should().BeNull();
        clock.Move(TimeSpan.FromDays(90));
        tokens.Read(second, null).Complaint.Should().Contain("ended on 2026-11-18");
        (await tokens.RotateAsync(99, TimeSpan.Zero)).Should().BeNull();
    }

    [Fact]
    public async Task NobodyHasMoreTokensThanAllowed()
    {
        using var folder = new TemporaryFolder();
        await using var state = await StoredState.OpenAsync(folder.Path);
        using var tokens = new AccessTokens(state.Tokens, state.Documents, new SteppedClock(), NullLogger<AccessTokens>.Instance);
        for (var i = 0; i < AccessTokens.MostPerPerson; i++)
        {
            (await tokens.CreateAsync(New(new SteppedClock(), $"{i}"))).Should().NotBeNull();
        }

        (await tokens.CreateAsync(New(new SteppedClock(), "one more"))).Should().BeNull();
        (await tokens.CreateAsync(New(new SteppedClock(), "of another") with { PersonId = 2 })).Should().NotBeNull();
    }

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("10.255.255.255", true)]
    [InlineData("11.0.0.1", false)]
    [InlineData("fd00::1", true)]
    [InlineData("fe80::1", false)]
    [InlineData("::ffff:10.1.2.3", false)]
    [InlineData(null, false)]
    public void ATokenForSomeNetworksCountsFromNowhereElse(string? client, bool counts) =>
        (New(new SteppedClock(), "ci") with { Networks = ["10.0.0.0/8", "fd00::/8"] })
            .CountsFrom(client is null ? null : IPAddress.Parse(client)).Should().Be(counts);

    [Theory]
    [InlineData(90, 70, false)]
    [InlineData(90, 77, true)]
    [InlineData(90, 90, false)]
    [InlineData(7, 1, false)]
    [InlineData(7, 5, true)]
    public void ATokenEndsSoonWhenMostOfItsTimeIsOver(int lasts, int after, bool soon)
    {
        var clock = new SteppedClock();
        var token = New(clock, "ci") with { ExpiresAt = clock.GetUtcNow().AddDays(lasts) };

        token.ExpiresSoon(clock.GetUtcNow().AddDays(after)).Should().Be(soon);
    }

    private static Token New(SteppedClock clock, string name) => new()
    {
        Id = 0,
        Hash = "",
        Name = name,
        PersonId = 1,
        Role = "admin",
        CreatedAt = clock.GetUtcNow(),
        ExpiresAt = clock.GetUtcNow().AddDays(90),
    };
}
